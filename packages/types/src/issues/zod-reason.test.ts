import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createEventCatalogue, defineEventType } from "../index.ts";
import { describeZodIssues, zodReason } from "../internal.ts";

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
    ["has none of the forms that are allowed here", z.union([z.string(), z.int()]), true],
    ["has unknown fields: b, c", z.strictObject({ a: z.int() }), { a: 1, b: 2, c: 3 }],
    ["is not valid", z.string().refine(() => false), "x"],
    ["is odd", z.number().refine((value) => value % 2 === 0, "is odd"), 1],
  ])("follows the name of a field: %s", (reason, schema, value) => {
    expect(reasonOf(schema, value)).toBe(reason);
  });

  it("combines all faults of a value in one text, without Zod's own sentences", () => {
    const schema = z.strictObject({
      port: z.int(),
      host: z.string(),
      kind: z.union([z.literal("a"), z.literal("b")]),
      labels: z.record(z.string().min(2), z.string()),
    });
    const value = { port: "80", kind: 1, labels: { x: "y" }, "odd name": 1, other: 2 };
    const issues = schema.safeParse(value, { reportInput: true }).error?.issues ?? [];
    expect(describeZodIssues(issues, "the file")).toBe(
      "port must be a number, not a string; host is required; kind has none of the forms that are allowed here; " +
        'labels.x has a key that is not allowed; ["odd name"] is not a known field; other is not a known field',
    );
    const whole = schema.safeParse(7, { reportInput: true }).error?.issues ?? [];
    expect(describeZodIssues(whole, "the file")).toBe("the file must be a JSON object, not a number");
  });

  it("forms sentences from an event's issues", () => {
    const catalogue = createEventCatalogue([
      defineEventType({
        name: "order.placed",
        description: "An order was placed.",
        schema: z.strictObject({
          total: z.number(),
          by: z.enum(["card", "cash"]),
          place: z.union([z.literal("shop"), z.number()]),
        }),
        example: { total: 1, by: "card", place: 7 },
      }),
    ]);
    const event = catalogue.completeEvent({
      type: "order.placed",
      data: { total: "1", by: "coin", place: true },
    });
    const reading = catalogue.safeParseSynapEvent(event);
    expect(reading.ok ? [] : reading.issues.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
      "data.total must be a number, not a string",
      'data.by must be one of "card", "cash"',
      "data.place has none of the forms that are allowed here",
    ]);
  });
});
