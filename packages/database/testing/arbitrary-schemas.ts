import type { JsonValue } from "@synap/types";
import { checkJson } from "@synap/types/internal";
import fc from "fast-check";
import { z } from "zod";

/** A schema, and values of which many satisfy it. */
export interface SchemaCase {
  readonly schema: z.ZodType;
  readonly likely: fc.Arbitrary<JsonValue>;
}

/** Texts at the edges of the formats, of which each schema of text accepts some. */
const TEXTS = [
  "",
  "a",
  "ab",
  "abc",
  "ABC",
  "aB-1",
  "x1_9",
  "äß",
  "İıſK",
  "😀",
  "a😀b",
  "a b",
  "a\u00a0b",
  "a\nb",
  "\u2028",
  "2026-02-28",
  "2026-02-30",
  "2024-02-29",
  "2026-02-28T12:00:00Z",
  "2026-02-28T12:00:00.123456Z",
  "2026-02-28T12:00:00+05:30",
  "2026-02-28T25:00:00Z",
  "12:00",
  "12:00:00",
  "24:00:00",
  "P1DT2H",
  "P",
  "a@example.org",
  "a@b",
  "a..b@example.org",
  "0190f3a2-7b1e-7c3d-8a4f-5b6c7d8e9f01",
  "0190f3a2-7b1e-7c3d-ca4f-5b6c7d8e9f01",
  "127.0.0.1",
  "256.0.0.1",
  "::1",
  "::ffff:1.2.3.4",
  "1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7::8:9",
  "10.0.0.0/8",
  "::1/129",
  "::/0",
  "aGk=",
  "aGk",
  "-_-_",
  "https://example.org/a?b#c",
  "https://",
  "mailto:a@example.org",
  "http://127.0.0.1:65536/",
  "no url",
  "+491701234567",
  "example.org",
  "deadBEEF",
];

const PATTERNS = [
  /^[a-z]+$/,
  /^[a-z]+$/i,
  /[^b]c?$/,
  /^.$/,
  /^.$/u,
  /^..$/s,
  /^\S+$/,
  /\bb\b/,
  /\Bb/,
  /^\w{2,3}$/,
  /^(?:a|b|)(?=b)b/,
  /^(?!a)[\s\S]*$/,
  /(?<=a)b|^$/,
  /^[\d\-_a-f]{1,300}$/,
  /^(?<name>x)?\W*\d?/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: applications refuse them like this.
  /^[^\u0000-\u001f]*$/,
  /\ud83d/,
  /^[\u{1f600}-\u{1f64f}]$/u,
  /^a{0}b*?c??|\x41\u0042C?|\//,
  // biome-ignore lint/correctness/noEmptyCharacterClassInRegex: the class of nothing, and that of everything.
  /^[]$|^[^]$/,
];

const text: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 6 }).filter(isSound) },
);
const number: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.integer({ min: -12, max: 12 }),
  fc.integer(),
  fc.constantFrom(0.5, -0.5, 0.07, 2.03, 1e-7, 3.3, 1.1, 5e-324, 0.1 + 0.2),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter(isSound),
);
const anything: fc.Arbitrary<JsonValue> = fc.jsonValue({ maxDepth: 2 }).filter(isJson).filter(isSound);

function isJson(value: unknown): value is JsonValue {
  return z.json().safeParse(value).success;
}

function isSound(value: unknown): boolean {
  return checkJson(value).length === 0;
}

const stringSchemas: fc.Arbitrary<z.ZodType> = fc.oneof(
  fc.record({ min: fc.nat(3), max: fc.nat(4) }).map(({ min, max }) => z.string().min(min).max(max)),
  fc.nat(3).map((length) => z.string().length(length)),
  fc.constantFrom(...PATTERNS).map((pattern) => z.string().regex(pattern)),
  fc
    .constantFrom("a", "b", "A", "😀", "")
    .chain((part) =>
      fc.constantFrom(z.string().startsWith(part), z.string().endsWith(part), z.string().includes(part)),
    ),
  fc.constantFrom<z.ZodType>(
    z.string(),
    z.email(),
    z.email({ pattern: z.regexes.unicodeEmail }),
    z.uuid(),
    z.uuidv7(),
    z.guid(),
    z.iso.date(),
    z.iso.datetime(),
    z.iso.datetime({ offset: true, local: true, precision: 3 }),
    z.iso.time(),
    z.iso.duration(),
    z.ipv4(),
    z.ipv6(),
    z.cidrv4(),
    z.cidrv6(),
    z.base64(),
    z.base64url(),
    z.url(),
    z.e164(),
    z.hostname(),
    z.hex(),
    z.nanoid(),
    z.ulid(),
    z.cuid2(),
    z.string().lowercase(),
    z.string().uppercase().max(2),
    z.templateLiteral(["a", z.string()]),
  ),
);

const numberSchemas: fc.Arbitrary<z.ZodType> = fc
  .tuple(fc.integer({ min: -5, max: 5 }), fc.constantFrom(0.07, 1, 2, 0.1, 1e-7, -3))
  .chain(([limit, step]) =>
    fc.constantFrom<z.ZodType>(
      z.number(),
      z.int(),
      z.int32(),
      z.float32(),
      z.number().min(limit),
      z
        .number()
        .gt(limit)
        .max(limit + 3),
      z.number().lt(limit).int(),
      z.int().positive(),
      z.number().multipleOf(step),
      z.int().multipleOf(step).min(limit),
    ),
  );

const leaves: fc.Arbitrary<SchemaCase> = fc.oneof(
  { weight: 3, arbitrary: stringSchemas.map((schema) => ({ schema, likely: text })) },
  { weight: 2, arbitrary: numberSchemas.map((schema) => ({ schema, likely: number })) },
  fc.constantFrom<SchemaCase>(
    { schema: z.boolean(), likely: fc.boolean() },
    { schema: z.null(), likely: fc.constant(null) },
    { schema: z.any(), likely: anything },
    { schema: z.unknown(), likely: anything },
    { schema: z.never(), likely: anything },
    { schema: z.literal("a"), likely: fc.constantFrom("a", "A") },
    { schema: z.literal(["a", 1, true, null]), likely: fc.constantFrom("a", 1, true, null, false, 2) },
    { schema: z.enum(["a", "b"]), likely: fc.constantFrom("a", "b", "c") },
    { schema: z.json(), likely: anything },
    { schema: tree(), likely: treeValues() },
  ),
);

function tree(): z.ZodType {
  const node = z.strictObject({
    name: z.string().max(3),
    get children(): z.ZodOptional<z.ZodArray<typeof node>> {
      return z.array(node).max(3).optional();
    },
    get next(): z.ZodOptional<z.ZodNullable<typeof node>> {
      return node.nullable().optional();
    },
  });
  return node;
}

function treeValues(): fc.Arbitrary<JsonValue> {
  const name = fc.constantFrom("a", "abcd");
  const leaf: fc.Arbitrary<JsonValue> = fc.record({ name }, { noNullPrototype: true });
  const grow = (below: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> =>
    fc.record(
      {
        name,
        children: fc.array(below, { maxLength: 4 }),
        next: fc.oneof(below, fc.constant<JsonValue>(null)),
      },
      { requiredKeys: ["name"], noNullPrototype: true },
    );
  return fc.oneof(leaf, grow(leaf), grow(grow(leaf)));
}

const FIELDS = ["a", "b", "c d", "kind"] as const;

function objects(of: fc.Arbitrary<SchemaCase>): fc.Arbitrary<SchemaCase & { schema: z.ZodObject }> {
  const field = fc.tuple(of, fc.constantFrom("required", "optional", "nullish"));
  const shape = fc.uniqueArray(fc.tuple(fc.constantFrom(...FIELDS.slice(0, 3)), field), {
    selector: ([name]) => name,
    maxLength: 3,
  });
  return fc
    .tuple(shape, fc.constantFrom("strict", "plain", "loose", "catchall"))
    .map(([fields, openness]) => {
      const shaped = Object.fromEntries(
        fields.map(([name, [{ schema }, presence]]) => [
          name,
          presence === "required" ? schema : presence === "optional" ? schema.optional() : schema.nullish(),
        ]),
      );
      const likely = fc.record(Object.fromEntries(fields.map(([name, [field]]) => [name, field.likely])), {
        requiredKeys: [],
        noNullPrototype: true,
      });
      const open = { strict: z.strictObject, plain: z.object, loose: z.looseObject } as const;
      const schema =
        openness === "catchall" ? z.object(shaped).catchall(z.boolean()) : open[asOpen(openness)](shaped);
      return { schema, likely };
    });
}

function asOpen(openness: string): "strict" | "plain" | "loose" {
  return openness === "strict" || openness === "plain" ? openness : "loose";
}

function composed(of: fc.Arbitrary<SchemaCase>): fc.Arbitrary<SchemaCase> {
  const both = fc.tuple(of, of);
  return fc.oneof(
    { weight: 3, arbitrary: objects(of) },
    {
      weight: 2,
      arbitrary: fc.tuple(of, fc.nat(2), fc.nat(3)).map(([{ schema, likely }, min, max]) => ({
        schema: z
          .array(schema)
          .min(min)
          .max(min + max),
        likely: fc.array(likely, { maxLength: 4 }),
      })),
    },
    of.map(({ schema, likely }) => ({ schema: schema.nullable().readonly(), likely })),
    both.map(([one, other]) => ({
      schema: z.union([one.schema, other.schema]),
      likely: fc.oneof(one.likely, other.likely),
    })),
    both.map(([one, other]) => ({
      schema: z.xor([one.schema, other.schema]),
      likely: fc.oneof(one.likely, other.likely),
    })),
    both.map(([one, other]) => ({
      schema: z.tuple([one.schema, other.schema.optional()]),
      likely: fc.tuple(one.likely, other.likely).chain((pair) => fc.subarray(pair)),
    })),
    both.map(([one, other]) => ({
      schema: z.tuple([one.schema], other.schema),
      likely: fc.tuple(one.likely, other.likely, other.likely).chain((items) => fc.subarray(items)),
    })),
    fc
      .tuple(of, fc.constantFrom(z.string(), z.string().max(1), z.string().regex(/^[a-c ]+$/)))
      .map(([{ schema, likely }, key]) => ({
        schema: z.record(key, schema),
        likely: fc.dictionary(fc.constantFrom("a", "bb", "c d", "D"), likely, {
          maxKeys: 3,
          noNullPrototype: true,
        }),
      })),
    fc.tuple(of, fc.boolean()).map(([{ schema, likely }, partial]) => ({
      schema: partial ? z.partialRecord(z.enum(["a", "b"]), schema) : z.record(z.enum(["a", "b"]), schema),
      likely: fc.dictionary(fc.constantFrom("a", "b", "c"), likely, { maxKeys: 3, noNullPrototype: true }),
    })),
    fc.tuple(objects(of), objects(of)).map(([one, other]) => ({
      schema: z.discriminatedUnion("kind", [
        one.schema.extend({ kind: z.literal("one") }),
        other.schema.extend({ kind: z.enum(["two", "three"]) }),
      ]),
      likely: fc
        .tuple(fc.oneof(one.likely, other.likely), fc.constantFrom("one", "two", "four", 1))
        .map(([value, kind]) => ({ ...Object(value), kind })),
    })),
    fc.tuple(objects(of), objects(of)).map(([one, other]) => ({
      schema: z.intersection(one.schema, other.schema),
      likely: fc
        .tuple(one.likely, other.likely)
        .map(([left, right]) => ({ ...Object(left), ...Object(right) })),
    })),
  );
}

/** Schemas of all that a plan can express, up to three levels deep, with values. */
export const schemaCases: fc.Arbitrary<SchemaCase> = fc.oneof(
  leaves,
  composed(leaves),
  composed(fc.oneof(leaves, composed(leaves))),
);

/** Values for a schema: likely ones, some of them with one thing changed, and some of any form. */
export function valuesFor({ likely }: SchemaCase): fc.Arbitrary<JsonValue> {
  const changed = fc
    .tuple(likely, anything, fc.nat())
    .map(([value, other, place]) => change(value, other, place));
  return fc.oneof(
    { weight: 4, arbitrary: likely },
    { weight: 3, arbitrary: changed },
    { weight: 1, arbitrary: anything },
  );
}

/** Replaces, removes or adds one part of a value. */
function change(value: JsonValue, other: JsonValue, place: number): JsonValue {
  if (typeof value !== "object" || value === null) return other;
  const entries = Object.entries<JsonValue | undefined>(value);
  const at = place % (entries.length + 1);
  const changed = entries.flatMap(([name, part = null], index): [string, JsonValue][] => {
    if (index !== at) return [[name, part]];
    return place % 3 === 0 ? [] : [[name, place % 2 === 0 ? other : change(part, other, place >> 2)]];
  });
  if (at === entries.length) changed.push(["b", other]);
  return Array.isArray(value) ? changed.map(([, part]) => part) : Object.fromEntries(changed);
}
