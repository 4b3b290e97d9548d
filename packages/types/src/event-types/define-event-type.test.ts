import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineEventType, EventTypeDefinitionError } from "./define-event-type.ts";

const about = { name: "thing.happened", description: "Something happened." } as const;
const plain = { schema: z.strictObject({ size: z.number() }), example: { size: 1 } };

const refusalOf = (define: () => unknown): string => {
  try {
    define();
  } catch (error) {
    expect(error).toBeInstanceOf(EventTypeDefinitionError);
    expect(error).toMatchObject({ code: "EVENT_TYPE_INVALID" });
    return error instanceof Error ? error.message : "";
  }
  throw new Error("the definition was accepted");
};

/** Defines an event type as an untyped program would. */
const untyped = (schema: z.ZodType, example: object) =>
  refusalOf(() => Reflect.apply(defineEventType, undefined, [{ ...about, schema, example }]));

describe("defineEventType", () => {
  it("derives the aggregate type from the name unless one is given", () => {
    expect(defineEventType({ ...about, ...plain }).aggregateType).toBe("thing");
    const priced = defineEventType({ ...about, ...plain, name: "price.changed", aggregateType: "product" });
    expect(priced.aggregateType).toBe("product");
  });

  it("writes the schema as JSON Schema", () => {
    expect(defineEventType({ ...about, ...plain }).jsonSchema).toEqual({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { size: { type: "number" } },
      required: ["size"],
      additionalProperties: false,
    });
  });

  it.each([
    ["strict", z.strictObject({ content: z.string() }), false],
    ["plain", z.object({ content: z.string() }), true],
    ["loose", z.looseObject({ content: z.string() }), true],
  ])("has a JSON Schema that admits unknown fields as the schema does: %s", (_, schema, admits) => {
    const type = defineEventType({ ...about, schema, example: { content: "x" } });
    expect(type.schema.safeParse({ content: "x", more: 1 }).success).toBe(admits);
    expect(type.jsonSchema["additionalProperties"] !== false).toBe(admits);
  });

  it("refuses malformed names", () => {
    for (const name of [
      "Thing.happened",
      "thing.",
      ".happened",
      "thing..happened",
      "thing.2",
      "a b.c",
    ] as const) {
      expect(refusalOf(() => defineEventType({ ...about, ...plain, name }))).toContain(
        "the name must have the form",
      );
    }
    const long = `thing.${"x".repeat(123)}` as const;
    expect(refusalOf(() => defineEventType({ ...about, ...plain, name: long }))).toContain("at most 128");
    const spaced = () => defineEventType({ ...about, ...plain, aggregateType: "two words" });
    expect(refusalOf(spaced)).toContain("aggregate type");
  });

  it("refuses schemas that change data, at any depth, at run time too", () => {
    const example = { size: 1 };
    const inner: Record<string, z.ZodType> = {
      default: z.number().default(1),
      prefault: z.number().prefault(1),
      catch: z.number().catch(1),
      coercion: z.coerce.number(),
      transform: z.number().transform(String),
      pipe: z.number().pipe(z.number()),
      "a rewriting check": z.number().overwrite((size) => Math.round(size)),
    };
    for (const [change, size] of Object.entries(inner)) {
      expect(untyped(z.strictObject({ size }), example)).toContain(change);
      expect(untyped(z.strictObject({ list: z.array(z.strictObject({ size })) }), { list: [] })).toContain(
        change,
      );
    }
    expect(untyped(z.strictObject({ text: z.string().trim() }), { text: "a" })).toContain(
      "a rewriting check",
    );
  });

  it("refuses schemas that JSON Schema can't express", () => {
    expect(untyped(z.strictObject({ at: z.date() }), { at: new Date() })).toContain("JSON Schema");
    expect(untyped(z.strictObject({ many: z.bigint() }), { many: 1n })).toContain("JSON Schema");
  });

  it("refuses an example that its own schema refuses, or that JSON can't represent", () => {
    expect(untyped(plain.schema, { size: "1" })).toContain("the example does not satisfy the schema: size");
    expect(untyped(z.strictObject({ size: z.string() }), { size: "\0" })).toContain("NUL");
  });
});
