import type { JsonObject, JsonValue } from "@synap/types";
import { checkJson } from "@synap/types/internal";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import fc from "fast-check";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { compileCheck } from "../check-plan/compile-check.ts";
import { schemaFromJson } from "./schema-from-json.ts";

type Schema = Readonly<Record<string, unknown>>;

const TEXTS = [
  "",
  "a",
  "ab",
  "B",
  "é",
  "😀",
  "a😀",
  "a\nb",
  "\u2028",
  "\u00a0",
  "12",
  "2026-02-28",
  "2026-02-30",
  "2026-02-28T12:00:00Z",
  "2026-02-28T12:00:00.5+05:30",
  "2026-02-28T25:00:00Z",
  "a@example.org",
  "a@",
  "0190f3a2-7b1e-7c3d-8a4f-5b6c7d8e9f01",
  "127.0.0.1",
  "256.0.0.1",
  "::1",
  "1:2:3:4:5:6:7:8",
];
const PATTERNS = [
  "^[a-z]+$",
  "b",
  "^.$",
  "^\\s$",
  "^\\S*$",
  "^(?:a|ab){1,2}$",
  "^[^a]",
  "^\\d{1,3}$",
  "😀",
  "^\\w+?",
  "^[\\u{1f600}-\\u{1f64f}]$",
  "(?=a)",
  "\\bb",
];
const FORMATS = ["date", "date-time", "email", "uuid", "ipv4", "ipv6", "uri", "regex"];

const isSound = (value: unknown) => checkJson(value).length === 0;
const scalars: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.integer({ min: -3, max: 6 }),
  fc.constantFrom(0.5, -0, 1e21, 5e-324, 2.5),
  fc.boolean(),
  fc.constant(null),
);
const values: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 4, arbitrary: scalars },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    { weight: 2, arbitrary: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3 }) },
  ),
})).value;

const optional = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const present = (schema: Schema): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
const count = optional(fc.nat(3));

const texts = fc
  .record({
    type: fc.constant("string"),
    minLength: count,
    maxLength: count,
    pattern: optional(fc.constantFrom(...PATTERNS)),
    format: optional(fc.constantFrom(...FORMATS)),
  })
  .map(present);
const numbers = fc
  .record({
    type: fc.constantFrom("number", "integer"),
    minimum: optional(fc.integer({ min: -2, max: 4 })),
    exclusiveMaximum: optional(fc.constantFrom(0, 2.5, 4)),
    // Never accepted.
    multipleOf: fc.option(fc.constant(2), { nil: undefined, freq: 12 }),
  })
  .map(present);
const plain: fc.Arbitrary<Schema | true> = fc.oneof(
  texts,
  numbers,
  fc.constantFrom<Schema | true>({ type: "boolean" }, { type: "null" }, {}, true),
  fc.constantFrom<Schema>(
    { type: ["string", "null"], maxLength: 1 },
    { type: ["integer", "string"], minimum: 2, minLength: 1 },
    { type: ["array", "object"], maxItems: 1, required: [] },
  ),
  fc.array(scalars, { minLength: 1, maxLength: 4 }).map((list) => ({ enum: list })),
  scalars.map((value) => ({ const: value })),
);

const parts: fc.Arbitrary<Schema | true> = fc.letrec<{ part: Schema | true }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    plain,
    fc
      .record({ type: fc.constant("array"), items: tie("part"), minItems: count, maxItems: count })
      .map(present),
    fc
      .record({
        properties: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("part"), { maxKeys: 3 }),
        needed: fc.subarray(["a", "b", "c"]),
        additionalProperties: fc.oneof(
          fc.constantFrom<boolean | undefined>(true, false, undefined),
          tie("part"),
        ),
      })
      .map(({ properties, needed, ...rest }) =>
        present({
          type: "object",
          properties,
          required: needed.filter((name) => Object.hasOwn(properties, name)),
          ...rest,
        }),
      ),
    fc.array(tie("part"), { minLength: 1, maxLength: 3 }).map((forms) => ({ anyOf: forms })),
    fc.array(tie("part"), { minLength: 1, maxLength: 3 }).map((forms) => ({ oneOf: forms })),
    fc.constantFrom<Schema>(
      { $ref: "#/$defs/tree" },
      { $ref: "#/$defs/short" },
      { allOf: [{ type: "string" }] },
    ),
  ),
})).part;

const schemas = parts.map(
  (part): Schema => ({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: { v: part },
    required: ["v"],
    additionalProperties: false,
    $defs: {
      tree: {
        type: "object",
        properties: { a: { $ref: "#/$defs/tree" }, b: { type: "array", items: { $ref: "#/$defs/tree" } } },
        additionalProperties: false,
      },
      short: { type: "string", maxLength: 2 },
    },
  }),
);

const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: true });
formats.default(ajv);

describeOnEveryEngine("data of a registered type", (engine) => {
  async function acceptedInSql(schema: Parameters<typeof compileCheck>[0], documents: readonly JsonObject[]) {
    const { plan } = compileCheck(schema);
    const rows = await engine.database.asOwner((owner) =>
      owner.query<{ at: number }>(
        `SELECT DISTINCT i.at - 1 AS at
           FROM (SELECT array_agg(v.value ORDER BY v.ordinal) AS vals, array_agg('data'::text) AS paths
                   FROM jsonb_array_elements($2::text::jsonb) WITH ORDINALITY AS v(value, ordinal)) AS k
          CROSS JOIN LATERAL synap.check_issues($1::text::jsonb, k.vals, k.paths) AS i`,
        [JSON.stringify(plan), JSON.stringify(documents)],
      ),
    );
    const refused = new Set(rows.map(({ at }) => at));
    return documents.map((_, index) => !refused.has(index));
  }

  it("is judged alike by Ajv, by the programs and by the database, unless its schema is refused", {
    timeout: 600_000,
  }, async () => {
    let usable = 0;
    await fc.assert(
      fc.asyncProperty(
        schemas,
        fc.array(values.filter(isSound), { minLength: 1, maxLength: 12 }),
        async (document, list) => {
          const reading = schemaFromJson(document);
          if (!reading.ok) return;
          usable += 1;
          const data = list.map((v): JsonObject => ({ v }));
          const validate = ajv.compile(document);
          const byAjv = data.map((each) => validate(each));
          const byProgram = data.map((each) => reading.schema.safeParse(each).success);
          const inSql = await acceptedInSql(reading.schema, data);
          const shown = (verdicts: readonly boolean[]) =>
            data.map((each, index) => [JSON.stringify(each), verdicts[index]]);
          expect(shown(byProgram)).toEqual(shown(byAjv));
          expect(shown(inSql)).toEqual(shown(byAjv));
        },
      ),
      { numRuns: 60 },
    );
    expect(usable).toBeGreaterThan(15);
  });
});
