import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createEventCatalogue, defineEventType } from "./index.ts";
import { zodReason } from "./internal.ts";

const reasonOf = (schema: z.ZodType, value: unknown) => {
  const [issue] = schema.safeParse(value, { reportInput: true }).error?.issues ?? [];
  return issue === undefined ? undefined : zodReason(issue);
};

describe("the reason of a Zod issue", () => {
  it.each<[string, z.ZodType, unknown]>([
    ["must be a string, not a number", z.string(), 1],
    ["must be a string, not null", z.string(), null],
    ["must be a JSON object, not an array", z.strictObject({}), []],
    ["must be an array, not an object", z.array(z.string()), {}],
    ["must be true or false, not a string", z.boolean(), "true"],
    ["must be a whole number, not a fraction", z.int(), 1.5],
    ["must have at least 3 characters", z.string().min(3), "ab"],
    ["must have at most 1 item", z.array(z.string()).max(1), ["a", "b"]],
    ["must be more than 0", z.number().positive(), 0],
    ["must be at most 10", z.number().max(10), 11],
    ["must be a multiple of 5", z.number().multipleOf(5), 3],
    ['must be one of "email", "post"', z.enum(["email", "post"]), "fax"],
    ['must be "v1"', z.literal("v1"), "v2"],
    ["must be a valid UUID", z.uuid(), "x"],
    ["must be a valid date, as in 2026-01-31", z.iso.date(), "x"],
    ["must match the pattern /^a/", z.string().regex(/^a/), "b"],
    ["must be text", z.string("must be text"), 1],
    ["is odd", z.number().refine((value) => value % 2 === 0, "is odd"), 1],
  ])("follows the name of a field: %s", (reason, schema, value) => {
    expect(reasonOf(schema, value)).toBe(reason);
  });

  it("makes sentences of an event's issues", () => {
    const catalogue = createEventCatalogue([
      defineEventType({
        name: "order.placed",
        description: "An order was placed.",
        schema: z.strictObject({ total: z.number(), by: z.enum(["card", "cash"]) }),
        example: { total: 1, by: "card" },
      }),
    ]);
    const event = catalogue.completeEvent({ type: "order.placed", data: { total: "1", by: "coin" } });
    const reading = catalogue.safeParseSynapEvent(event);
    expect(reading.ok ? [] : reading.issues.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
      "data.total must be a number, not a string",
      'data.by must be one of "card", "cash"',
    ]);
  });
});
