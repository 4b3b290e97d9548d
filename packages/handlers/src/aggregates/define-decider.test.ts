import { createMemoryEventStore } from "@synap/database/internal";
import { createEventCatalogue, defineEventType } from "@synap/types";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createAggregateRepository } from "./aggregate-repository.ts";
import { defineDecider } from "./define-decider.ts";

const added = defineEventType({
  name: "list.added",
  description: "Something was put on the list.",
  schema: z.strictObject({ what: z.string() }),
  example: { what: "milk" },
});

const list = {
  name: "list",
  description: "A list.",
  events: [added] as const,
  commands: { add: z.strictObject({ what: z.string() }) },
  state: z.strictObject({ items: z.array(z.string()) }),
  initialState: { items: [] as string[] },
  evolve: (state: { items: string[] }) => state,
  decide: () => [],
};

describe("the definition of a decider", () => {
  it("freezes the initial state, so that evolve can't change it", async () => {
    const given = { items: [] as string[] };
    const pushing = defineDecider({
      ...list,
      initialState: given,
      evolve: (state, event) => {
        state.items.push(event.data.what);
        return state;
      },
    });
    const store = createMemoryEventStore({ catalogue: createEventCatalogue([added]) });
    const stream = { aggregateType: "list", aggregateId: "l" };
    await store.appendToStream(stream, 0, [{ type: "list.added", data: { what: "milk" } }]);
    const lists = createAggregateRepository({ store, decider: pushing });
    await expect(lists.load("l")).rejects.toThrow(TypeError);
    expect((await lists.load("another")).state).toEqual({ items: [] });
    given.items.push("tea");
    expect((await lists.load("another")).state).toEqual({ items: [] });
  });

  const changing: Record<string, z.ZodType> = {
    "a default": z.strictObject({ what: z.string().default("milk") }),
    "a catch": z.strictObject({ what: z.string().catch("milk") }),
    "a rewriting check": z.strictObject({ what: z.string().trim() }),
    "a coercion": z.strictObject({ what: z.coerce.string() }),
    "a transform": z.strictObject({ what: z.string().transform(Number) }),
    "no form in JSON Schema": z.strictObject({ what: z.date() }),
  };
  it.each(Object.entries(changing))("refuses a command with %s", (_what, add) => {
    expect(() => defineDecider({ ...list, commands: { add } })).toThrow(
      expect.objectContaining({ code: "DECIDER_INVALID", message: expect.stringContaining('command "add"') }),
    );
  });

  it("refuses an initial state that is not JSON, or whose schema can't check it", () => {
    const state = z.looseObject({});
    const define = (initialState: object, schema: z.ZodType = state) =>
      Reflect.apply(defineDecider, undefined, [{ ...list, state: schema, initialState }]);
    expect(() => define({ count: -0 })).toThrow("JSON");
    expect(() => define({ since: new Date(0) })).toThrow("JSON");
    expect(() =>
      define(
        {},
        z.looseObject({}).refine(async () => true),
      ),
    ).toThrow("schema of the state threw");
    expect(define({ count: 0 })).toMatchObject({ initialState: { count: 0 } });
  });
});
