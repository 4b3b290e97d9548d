import fc from "fast-check";

/** The part of JSON Schema that event types and the OpenAPI document use. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/**
 * Generates values that satisfy a schema, including those at its bounds; `components` are the schemas it refers to, by
 * name. `texts` are tried wherever the schema allows them.
 */
export function arbitraryOf(
  schema: JsonSchema,
  components: Readonly<Record<string, JsonSchema>> = {},
  texts: readonly string[] = [],
): fc.Arbitrary<unknown> {
  const of = (part: unknown): fc.Arbitrary<unknown> => arbitraryOf(asSchema(part), components, texts);
  const { $ref, enum: values, anyOf, oneOf, allOf, not } = schema;
  if (typeof $ref === "string") return of(components[$ref.replace("#/components/schemas/", "")]);
  if ("const" in schema) return fc.constant(schema["const"]);
  if (Array.isArray(values)) return fc.constantFrom(...values);
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices)) return fc.oneof(...choices.map(of));
  if (Array.isArray(allOf) && allOf.length === 1 && schema["type"] === undefined) return of(allOf[0]);
  const excluded: readonly unknown[] = list(asSchema(not)["enum"]);
  return ofType(schema, of, texts).filter((value) => !excluded.includes(value));
}

function ofType(
  schema: JsonSchema,
  of: (part: unknown) => fc.Arbitrary<unknown>,
  texts: readonly string[],
): fc.Arbitrary<unknown> {
  switch ([schema["type"]].flat()[0]) {
    case "string":
      // JSON inside a text, as a query parameter has it.
      if (schema["contentSchema"] !== undefined)
        return of(schema["contentSchema"]).map((value) => JSON.stringify(value));
      return ofText(schema, texts);
    case "integer": {
      const { min, max } = bounds(schema, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
      return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max));
    }
    case "number":
      return fc
        .double({ ...bounds(schema, -1e9, 1e9), noNaN: true })
        .map((value) => Math.round(value * 100) / 100);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array": {
      const minLength = Number(schema["minItems"] ?? 0);
      return fc.array(of(schema["items"] ?? {}), {
        minLength,
        maxLength: Math.min(Number(schema["maxItems"] ?? 3), minLength + 3),
      });
    }
    case "object":
      return ofObject(schema, of);
    default:
      return fc.jsonValue({ maxDepth: 2, noUnicodeString: false }).filter(isKept);
  }
}

function ofObject(schema: JsonSchema, of: (part: unknown) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const properties = asSchema(schema["properties"]);
  const names = Object.keys(properties);
  const model = Object.fromEntries(names.map((name) => [name, of(properties[name])]));
  const requiredKeys = list(schema["required"]).map(String);
  return fc.record(model, { requiredKeys });
}

function ofText(schema: JsonSchema, texts: readonly string[]): fc.Arbitrary<string> {
  const minLength = Number(schema["minLength"] ?? 0);
  const maxLength = Math.min(Number(schema["maxLength"] ?? 300), 500);
  const pattern = typeof schema["pattern"] === "string" ? new RegExp(schema["pattern"], "u") : undefined;
  const further = list(schema["allOf"]).map(
    (part) => new RegExp(String(asSchema(part)["pattern"] ?? ""), "u"),
  );
  const fits = (value: string) => {
    const { length } = [...value];
    return (
      length >= minLength &&
      length <= maxLength &&
      (pattern === undefined || pattern.test(value)) &&
      further.every((each) => each.test(value))
    );
  };
  if (schema["format"] === "uri") return fc.webUrl({ withFragments: true }).filter(fits);
  if (schema["format"] === "uuid") return fc.uuid().filter(fits);
  if (schema["format"] === "date-time") return ofMoment().filter(fits);
  if (schema["format"] === "date") return ofDay().filter(fits);
  const free = fc.oneof(
    fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 12)) }),
    fc.string({ unit: "grapheme", minLength, maxLength: Math.max(minLength, Math.min(maxLength, 12)) }),
    fc.constantFrom(minLength, maxLength).map((length) => "x".repeat(length)),
    // A text with the maximum number of bytes for this length, which doesn't compress.
    fc.string({
      unit: fc.integer({ min: 0x4e00, max: 0x9fff }).map((code) => String.fromCharCode(code)),
      minLength: maxLength,
      maxLength,
    }),
    ...(texts.length === 0 ? [] : [fc.constantFrom(...texts)]),
  );
  // A pattern that only excludes characters is met by nearly all text; any other is generated from.
  if (pattern === undefined || pattern.test("some text, any text")) return free.filter(fits);
  return fc.stringMatching(pattern).filter(fits);
}

/** Days near the present and at the bounds. */
function ofDay(): fc.Arbitrary<string> {
  const ends = ["0000-01-01", "0000-02-29", "0001-01-01", "1582-10-10", "2024-02-29", "9999-12-31"];
  return fc.oneof(
    ofMoment().map((text) => text.slice(0, 10)),
    fc.constantFrom(...ends),
  );
}

/** RFC 3339 moments with and without fractions, in UTC and with offsets, near the present and at the bounds. */
function ofMoment(): fc.Arbitrary<string> {
  const instant = fc.oneof(
    fc.date({
      min: new Date("1970-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    }),
    fc.constantFrom(new Date(0), new Date("9999-12-31T23:59:59.999Z"), new Date()),
  );
  const zone = fc.constantFrom("Z", "+00:00", "-05:30", "+14:00", "+16:00", "-23:59", "+23:59");
  const ends = fc.constantFrom(
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999-23:59",
  );
  const usual = fc.tuple(instant, zone, fc.boolean()).map(([date, offset, isFine]) => {
    const text = date.toISOString().slice(0, isFine ? 23 : 19);
    return `${text}${offset}`;
  });
  return fc.oneof({ arbitrary: usual, weight: 4 }, { arbitrary: ends, weight: 1 });
}

function bounds(schema: JsonSchema, lowest: number, highest: number): { min: number; max: number } {
  // Enough for whole numbers, and a number that is no whole one stays within it as well.
  const above = Number(schema["exclusiveMinimum"] ?? lowest - 1) + 1;
  const min = Math.max(lowest, Number(schema["minimum"] ?? lowest), above);
  return { min, max: Math.min(highest, Number(schema["maximum"] ?? highest)) };
}

/** Checks that an arbitrary value survives JSON and PostgreSQL, as event data must. */
function isKept(value: unknown): boolean {
  const text = JSON.stringify(value);
  return !/\\u0000|\\ud[89a-f]|__proto__|\d{16}|\de[+-]?\d/i.test(text);
}

function asSchema(part: unknown): JsonSchema {
  return typeof part === "object" && part !== null ? (part as JsonSchema) : {};
}

function list(part: unknown): readonly unknown[] {
  return Array.isArray(part) ? part : [];
}
