import { createMemoryEventStore } from "@synap/database/internal";
import { createEventCatalogue, defineEventType } from "@synap/types";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { deciderScenario } from "../../testing/decider-scenario.ts";
import { createAggregateRepository } from "./aggregate-repository.ts";
import { defineDecider } from "./define-decider.ts";
import { applyEvent, initialAggregate } from "./fold.ts";
import { createMemorySnapshotStore } from "./snapshots.ts";

const added = defineEventType({
  name: "list.added",
  description: "Something was put on the list.",
  schema: z.strictObject({ what: z.string(), tags: z.array(z.string()) }),
  example: { what: "milk", tags: [] },
});

const list = {
  name: "list" as const,
  description: "A list.",
  events: [added] as const,
  commands: { add: z.strictObject({ whats: z.array(z.string()) }) },
  state: z.strictObject({ items: z.array(z.string()), tags: z.array(z.string()) }),
  initialState: { items: [] as string[], tags: [] as string[] },
};

const evolve: Parameters<
  typeof defineDecider<
    typeof list.initialState,
    typeof list.commands,
    typeof list.events,
    typeof list.initialState,
    never[],
    typeof list.name
  >
>[0]["evolve"] = (state, { data }) => ({ items: [...state.items, data.what], tags: data.tags });
const decided = (whats: readonly string[]) =>
  whats.map((what) => ({ type: "list.added" as const, data: { what, tags: ["a"] } }));

const storeOf = () => createMemoryEventStore({ catalogue: createEventCatalogue([added]) });

describe("a decider that changes its input", () => {
  it("fails if evolve writes into the state after an earlier event, and stores nothing", async () => {
    const pushing = defineDecider({
      ...list,
      evolve: (state, { data }) => {
        if (state.items.length === 0) return { items: [data.what], tags: [] };
        state.items.push(data.what);
        return state;
      },
      decide: ({ data }) => decided(data.whats),
    });
    const store = storeOf();
    const lists = createAggregateRepository({ store, decider: pushing });
    await lists.execute("l", { type: "add", data: { whats: ["milk"] } });
    await store.appendToStream({ aggregateType: "list", aggregateId: "l" }, 1, decided(["tea"]));
    await expect(lists.load("l")).rejects.toThrow(TypeError);
    expect(() => deciderScenario(pushing).given(...decided(["milk", "tea"]))).toThrow(TypeError);
  });

  it("fails if decide writes into the state, even one read from a snapshot, or into the command", async () => {
    let write: (state: { items: string[] }, command: { data: { whats: string[] } }) => void = () => {};
    const decider = defineDecider({
      ...list,
      evolve,
      decide: (command, state) => {
        write(state, command);
        return decided(command.data.whats);
      },
    });
    const snapshots = { store: createMemorySnapshotStore(), every: 1 };
    const store = storeOf();
    const lists = createAggregateRepository({ store, decider, snapshots });
    const command = { type: "add" as const, data: { whats: ["milk"] } };
    await lists.execute("l", command);
    await lists.load("l");
    write = (state) => state.items.push("tea");
    await expect(lists.execute("l", command)).rejects.toThrow(TypeError);
    write = (_state, { data }) => data.whats.push("tea");
    await expect(lists.execute("l", command)).rejects.toThrow(TypeError);
    expect(command).toStrictEqual({ type: "add", data: { whats: ["milk"] } });
    expect(() => command.data.whats.push("tea")).not.toThrow();
    write = () => {};
    expect((await lists.load("l")).state.items).toEqual(["milk"]);
  });

  it("fails if evolve writes into events, but does not freeze the sender's objects", async () => {
    const own = ["a"];
    const decider = defineDecider({
      ...list,
      evolve: (state, { data }) => {
        data.tags.push("changed");
        return { items: [...state.items, data.what], tags: data.tags };
      },
      decide: ({ data }) => data.whats.map((what) => ({ type: "list.added", data: { what, tags: own } })),
    });
    const lists = createAggregateRepository({ store: storeOf(), decider });
    await expect(lists.execute("l", { type: "add", data: { whats: ["milk"] } })).rejects.toThrow(TypeError);
    expect(own).toEqual(["a"]);
    expect(Object.isFrozen(own)).toBe(false);
  });
});

describe("the state of an aggregate", () => {
  it("is not traversed again at each event: unchanged parts cost nothing", () => {
    let looks = 0;
    const inner = new Proxy<Record<string, string>>(Object.freeze({ note: "kept" }), {
      ownKeys: (target) => {
        looks += 1;
        return Reflect.ownKeys(target);
      },
    });
    const kept = Object.freeze({ inner });
    const decider = defineDecider({
      ...list,
      state: z.strictObject({ count: z.int(), kept: z.record(z.string(), z.record(z.string(), z.string())) }),
      initialState: { count: 0, kept: {} as Record<string, Record<string, string>> },
      evolve: ({ count }) => ({ count: count + 1, kept }),
      decide: ({ data }) => decided(data.whats),
    });
    let state = initialAggregate(decider);
    for (const [index, event] of decided(Array.from({ length: 20 }, () => "milk")).entries())
      state = applyEvent(decider, state, { ...event, id: String(index), streamVersion: index + 1 });
    expect(state.state.count).toBe(20);
    expect(looks).toBe(0);
  });
});
