import { describe, expect, it } from "vitest";
import { schemaFromJson } from "./schema-from-json.ts";

/** A schema of an object with one field. */
const ofField = (field: unknown, more: object = {}) => ({
  type: "object",
  properties: { v: field },
  required: ["v"],
  additionalProperties: false,
  ...more,
});

/** The faults of a schema, as "path: code". */
function faults(schema: unknown): readonly string[] {
  const reading = schemaFromJson(schema);
  return reading.ok ? [] : reading.issues.map(({ path, code }) => `${path}: ${code}`);
}

function accepts(schema: unknown, data: unknown): boolean {
  const reading = schemaFromJson(schema);
  if (!reading.ok) throw new Error(JSON.stringify(reading.issues));
  return reading.schema.safeParse(data).success;
}

describe("a JSON Schema of data", () => {
  it("accepts and refuses as JSON Schema says", () => {
    const cases: readonly (readonly [
      field: unknown,
      accepted: readonly unknown[],
      refused: readonly unknown[],
    ])[] = [
      [{ type: "string", minLength: 2, maxLength: 3 }, ["ab", "😀😀"], ["a", "😀", "abcd", 1, null]],
      [{ type: "string", pattern: "^[a-z]+$" }, ["ab"], ["aB", ""]],
      [{ type: "string", pattern: "b" }, ["abc"], ["ac"]],
      [{ type: "string", pattern: "^.$" }, ["😀"], ["\n", "\u2028", "ab"]],
      [{ type: "string", pattern: "^\\s$" }, ["\u00a0", "\v"], ["a"]],
      [{ type: "string", format: "date" }, ["2024-02-29"], ["2023-02-29"]],
      [{ type: "string", format: "date-time" }, ["2026-01-02T03:04:05Z"], ["2026-01-02"]],
      [{ type: "string", format: "uuid" }, ["0190f3a2-7b1e-7c3d-8a4f-5b6c7d8e9f01"], ["x"]],
      [{ type: "integer", minimum: 1, exclusiveMaximum: 3 }, [1, 2], [0, 3, 1.5, "1"]],
      [{ type: "number", exclusiveMinimum: 0, maximum: 1 }, [0.5, 1], [0, 1.1]],
      [{ type: ["string", "null"], maxLength: 1 }, ["a", null], ["ab", 1]],
      [{ type: ["string", "integer"], maxLength: 1, minimum: 5 }, ["a", 5], ["ab", 4]],
      [{ enum: ["a", 1, null, true] }, ["a", 1, null, true], ["b", 2, false]],
      [{ const: "a" }, ["a"], ["b"]],
      [
        { type: "array", items: { type: "boolean" }, minItems: 1, maxItems: 2 },
        [[true]],
        [[], [1], [true, true, true]],
      ],
      [{ type: "array" }, [[1, "a", {}]], [{}]],
      [{ anyOf: [{ type: "string" }, { type: "number" }] }, ["a", 1], [true]],
      [
        {
          oneOf: [
            { type: "integer", minimum: 5 },
            { type: "integer", maximum: 7 },
          ],
        },
        [4, 8],
        [6],
      ],
      [{ type: "object", additionalProperties: { type: "number" } }, [{}, { a: 1 }], [{ a: "x" }]],
      [{ type: "object", properties: { a: { type: "string" } } }, [{ a: "x", b: 1 }], [{ a: 1 }]],
      [{}, [1, "a", null, [], {}], []],
      [true, [1, null], []],
    ];
    for (const [field, accepted, refused] of cases) {
      const wrong = [
        ...accepted.map((v) => [v, true] as const),
        ...refused.map((v) => [v, false] as const),
      ].filter(([v, expected]) => accepts(ofField(field), { v }) !== expected);
      expect({ field, wrong }).toEqual({ field, wrong: [] });
      expect(accepts(ofField(field), {})).toBe(false);
    }
  });

  it("may contain itself", () => {
    const tree = ofField(
      { $ref: "#/$defs/node" },
      {
        $defs: {
          node: {
            type: "object",
            properties: {
              name: { type: "string" },
              children: { type: "array", items: { $ref: "#/$defs/node" } },
            },
            required: ["name"],
            additionalProperties: false,
          },
        },
      },
    );
    expect(accepts(tree, { v: { name: "a", children: [{ name: "b", children: [] }] } })).toBe(true);
    expect(accepts(tree, { v: { name: "a", children: [{ name: 1 }] } })).toBe(false);
  });

  it("is refused with the place of each part that can't be checked", () => {
    expect(faults(ofField({ type: "number", multipleOf: 0.01 }))).toEqual([
      "/properties/v/multipleOf: keyword-unsupported",
    ]);
    expect(faults(ofField({ type: "string", minimum: 1, format: "regex", pattern: "(?=a)" }))).toEqual([
      "/properties/v/minimum: keyword-unsupported",
      "/properties/v/pattern: pattern-unsupported",
      "/properties/v/format: format-unsupported",
    ]);
    expect(faults(ofField({ type: "string", personal: { subject: "userId" } }))).toEqual([
      "/properties/v/personal: keyword-unsupported",
    ]);
    expect(faults(ofField({ minLength: 1 }))).toEqual(["/properties/v/minLength: keyword-unsupported"]);
    expect(faults(ofField({ allOf: [true] }))).toEqual(["/properties/v/allOf: keyword-unsupported"]);
    expect(faults(ofField({ type: "string", typo: 1 }))).toEqual(["/properties/v/typo: keyword-unsupported"]);
    expect(faults(ofField({ enum: ["a"], type: "number" }))).toEqual(["/properties/v/enum: keyword-invalid"]);
    expect(faults(ofField({ enum: [{}] }))).toEqual(["/properties/v/enum: keyword-invalid"]);
    expect(faults({ type: "object", required: ["a"] })).toEqual(["/required/0: keyword-invalid"]);
    expect(faults({ type: "string" })).toEqual(["/type: keyword-invalid"]);
    expect(faults({ ...ofField(true), $schema: "http://json-schema.org/draft-07/schema#" })).toEqual([
      "/$schema: keyword-invalid",
    ]);
    for (const schema of [null, [], "text", 1, true]) expect(faults(schema)).toEqual([": keyword-invalid"]);
  });

  it("refers to its own definitions only", () => {
    for (const $ref of [
      "https://example.com/a.json",
      "#",
      "#/properties/v",
      "#/$defs/none",
      "other",
      1,
      "#/$defs/__proto__",
    ])
      expect(faults(ofField({ $ref }, { $defs: { a: true } }))).toEqual([
        "/properties/v/$ref: reference-unknown",
      ]);
    expect(faults(ofField(true, { $id: "https://example.com/a.json" }))).toEqual([
      "/$id: keyword-unsupported",
    ]);
  });

  it("has no names that every object of JavaScript has", () => {
    const named = (name: string) => ({
      type: "object",
      properties: Object.fromEntries([[name, { type: "string" }]]),
    });
    for (const name of ["constructor", "toString", "hasOwnProperty"])
      expect(faults(named(name))).toEqual([`/properties/${name}: name-reserved`]);
    for (const name of ["toJSON", "__proto__"]) expect(faults(named(name))).toEqual([": keyword-invalid"]);
  });
});

describe("a hostile JSON Schema", () => {
  it("can't make the validation take long by its references", () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        `d${index}`,
        index === 39
          ? { type: "string" }
          : { anyOf: [{ $ref: `#/$defs/d${index + 1}` }, { $ref: `#/$defs/d${index + 1}` }] },
      ]),
    );
    expect(faults(ofField({ $ref: "#/$defs/d0" }, { $defs: doubling })).join()).toMatch(/too-large/);
    const deep = Object.fromEntries(
      Array.from({ length: 24 }, (_, index) => [
        `d${index}`,
        index === 23
          ? { type: "string" }
          : {
              type: "object",
              properties: {
                x: { anyOf: [{ $ref: `#/$defs/d${index + 1}` }, { $ref: `#/$defs/d${index + 1}` }] },
              },
            },
      ]),
    );
    expect(faults(ofField({ $ref: "#/$defs/d0" }, { $defs: deep })).join()).toMatch(/too-large/);
    const both = { type: "object", properties: { x: { $ref: "#/$defs/a" } } };
    const recursive = { $defs: { a: { anyOf: [both, both] } } };
    expect(faults(ofField({ $ref: "#/$defs/a" }, recursive))).toEqual([": uncheckable"]);
  });

  it("can't be endless", () => {
    for (const $defs of [
      { a: { $ref: "#/$defs/a" } },
      { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } },
      { a: { anyOf: [{ $ref: "#/$defs/a" }, { type: "string" }] } },
    ])
      expect(faults(ofField({ $ref: "#/$defs/a" }, { $defs }))).not.toEqual([]);
  });

  it("can't be large or deep", () => {
    const nested = (levels: number): unknown => {
      let schema: unknown = { type: "string" };
      for (let level = 0; level < levels; level += 1) schema = { type: "array", items: schema };
      return schema;
    };
    expect(faults(ofField(nested(20)))).toEqual([]);
    expect(faults(ofField(nested(100)))).toEqual([": too-large"]);
    expect(faults(ofField(nested(100_000)))).toEqual([": too-large"]);
    expect(
      faults(ofField({ enum: Array.from({ length: 900 }, (_, index) => `${index}`.repeat(30)) })),
    ).toEqual([": too-large"]);
    expect(faults(ofField({ anyOf: Array.from({ length: 33 }, () => ({ type: "string" })) }))).toEqual([
      "/properties/v/anyOf: too-large",
    ]);
  });

  it("has no pattern that backtracks, and a pattern's time is proportional to the text", () => {
    for (const pattern of [
      "(a)\\1",
      "(?<!a)b",
      "\\bx",
      "a{2000}",
      "(?:a{0,60}){0,60}",
      "[",
      "a".repeat(600),
      "\\p{L}",
    ])
      expect(faults(ofField({ type: "string", pattern }))).toEqual([
        "/properties/v/pattern: pattern-unsupported",
      ]);
    const schema = ofField({ type: "string", pattern: "^(?:a+)+$" });
    // JavaScript's own matching would take longer than the universe is old.
    expect(accepts(schema, { v: `${"a".repeat(200_000)}b` })).toBe(false);
    expect(accepts(schema, { v: "a".repeat(200_000) })).toBe(true);
  });
});
