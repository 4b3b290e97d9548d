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

describe("the versions of an event type", () => {
  const first = z.strictObject({ size: z.string() });
  const second = z.strictObject({ size: z.number() });
  const third = z.strictObject({ size: z.number(), unit: z.string() });
  const example = { size: 1, unit: "m" };
  const steps = {
    1: { schema: first, up: ({ size }: { size: string }) => ({ size: Number(size) }) },
    2: { schema: second, up: ({ size }: { size: number }) => ({ size, unit: "m" }) },
  };
  const versioned = (fields: object) =>
    refusalOf(() =>
      Reflect.apply(defineEventType, undefined, [{ ...about, schema: third, example, ...fields }]),
    );

  it("is version 1 unless the definition says otherwise", () => {
    expect(defineEventType({ ...about, ...plain })).toMatchObject({ version: 1, earlier: [] });
  });

  it("keeps each earlier version with its schema, in order", () => {
    const type = defineEventType({ ...about, schema: third, example, version: 3, upcast: steps });
    expect(type.version).toBe(3);
    expect(type.earlier.map(({ version }) => version)).toEqual([1, 2]);
    expect(type.earlier[0]?.jsonSchema).toMatchObject({ properties: { size: { type: "string" } } });
  });

  it("refuses a gap, a step too many, and a version that is no whole number from 1", () => {
    const { 1: one, 2: two } = steps;
    expect(versioned({ version: 3, upcast: { 2: two } })).toContain("no step for version 1");
    expect(versioned({ version: 3, upcast: { 1: one } })).toContain("no step for version 2");
    expect(versioned({ version: 3 })).toContain("no step for version 1");
    expect(versioned({ version: 2, upcast: steps })).toContain("a step for version 2");
    expect(versioned({ upcast: { 1: one } })).toContain("a step for version 1");
    expect(versioned({ version: 3, upcast: { ...steps, 4: two } })).toContain("a step for version 4");
    expect(versioned({ version: 3, upcast: { ...steps, "01": one } })).toContain("a step for version 01");
    expect(versioned({ version: 3, upcast: { ...steps, 1.5: one } })).toContain("a step for version 1.5");
    for (const version of [0, -1, 1.5, Number.NaN, 1001, "2"]) {
      expect(versioned({ version, upcast: {} })).toContain(
        "the version must be a whole number from 1 to 1000",
      );
    }
    expect(versioned({ version: 2, upcast: { 1: { schema: second } } })).toContain("has no function up");
  });

  it("refuses an earlier schema that changes data", () => {
    const trimming = z.strictObject({ size: z.string().trim() });
    expect(versioned({ version: 2, upcast: { 1: { ...steps[1], schema: trimming } } })).toContain(
      "the schema of version 1 ",
    );
  });

  it("takes an example through all further steps, whose results must satisfy their schemas", () => {
    const given = (old: unknown, one: object = {}, two: object = {}) => ({
      version: 3,
      upcast: { 1: { ...steps[1], example: old, ...one }, 2: { ...steps[2], ...two } },
    });
    const define = (fields: object) =>
      Reflect.apply(defineEventType, undefined, [{ ...about, schema: third, example, ...fields }]);
    expect(define(given({ size: "12" }))).toMatchObject({ version: 3 });
    expect(versioned(given({ size: 12 }))).toContain("the example of version 1 does not satisfy the schema");
    expect(versioned(given({ size: "12" }, { up: ({ size }: { size: string }) => ({ size }) }))).toContain(
      "the example of version 1, upcast to version 2, does not satisfy the schema: size",
    );
    expect(versioned(given({ size: "12" }, {}, { up: () => ({ size: 1 }) }))).toContain(
      "the example of version 1, upcast to version 3, does not satisfy the schema: unit is required",
    );
    const thrower = () => {
      throw new Error("no unit");
    };
    expect(versioned(given({ size: "12" }, {}, { up: thrower }))).toContain(
      "the step of version 2 threw on an example: no unit",
    );
    const writer = (data: { size: unknown }) => {
      data.size = 1;
      return data;
    };
    expect(versioned(given({ size: "12" }, { up: writer }))).toContain("the step of version 1 threw");
  });
});
