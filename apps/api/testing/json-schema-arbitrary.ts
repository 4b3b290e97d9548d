import fc from "fast-check";

/** A JSON Schema, as far as the API's document uses it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** Values that satisfy a schema of the document; `components` are its schemas by name. */
export function arbitraryOf(
  schema: JsonSchema,
  components: Readonly<Record<string, JsonSchema>>,
): fc.Arbitrary<unknown> {
  const of = (part: unknown): fc.Arbitrary<unknown> => arbitraryOf(asSchema(part), components);
  const { $ref, enum: values, anyOf, oneOf, allOf, not } = schema;
  if (typeof $ref === "string") return of(components[$ref.replace("#/components/schemas/", "")]);
  if ("const" in schema) return fc.constant(schema["const"]);
  if (Array.isArray(values)) return fc.constantFrom(...values);
  const choices = anyOf ?? oneOf;
  if (Array.isArray(choices)) return fc.oneof(...choices.map(of));
  if (Array.isArray(allOf) && allOf.length === 1) return of(allOf[0]);
  const excluded: readonly unknown[] = list(asSchema(not)["enum"]);
  return ofType(schema, of).filter((value) => !excluded.includes(value));
}

function ofType(schema: JsonSchema, of: (part: unknown) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  switch ([schema["type"]].flat()[0]) {
    case "string":
      return ofText(schema);
    case "integer":
      return fc.integer(bounds(schema, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
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

function ofText(schema: JsonSchema): fc.Arbitrary<string> {
  const minLength = Number(schema["minLength"] ?? 0);
  const maxLength = Math.min(Number(schema["maxLength"] ?? 300), 300);
  const pattern = typeof schema["pattern"] === "string" ? new RegExp(schema["pattern"], "u") : undefined;
  const fits = (value: string) => {
    const { length } = [...value];
    return length >= minLength && length <= maxLength && (pattern === undefined || pattern.test(value));
  };
  if (schema["format"] === "uuid") return fc.uuid().filter(fits);
  if (schema["format"] === "date-time") return ofMoment().filter(fits);
  if (schema["format"] === "date")
    return ofMoment()
      .map((text) => text.slice(0, 10))
      .filter(fits);
  const free = fc.oneof(
    fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 12)) }),
    fc.string({ unit: "grapheme", minLength, maxLength: Math.max(minLength, Math.min(maxLength, 12)) }),
    fc.constantFrom(minLength, maxLength).map((length) => "x".repeat(length)),
  );
  // A pattern that only excludes characters is met by nearly all text; any other is generated from.
  if (pattern === undefined || pattern.test("some text, any text")) return free.filter(fits);
  return fc.stringMatching(pattern).filter(fits);
}

/** RFC 3339 with and without fractions, in UTC and with offsets, near the present and at the ends of what there is. */
function ofMoment(): fc.Arbitrary<string> {
  const instant = fc.oneof(
    fc.date({
      min: new Date("1970-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    }),
    fc.constantFrom(new Date(0), new Date("9999-12-31T23:59:59.999Z"), new Date()),
  );
  const zone = fc.constantFrom("Z", "+00:00", "-05:30", "+14:00", "+23:59");
  return fc.tuple(instant, zone, fc.boolean()).map(([date, offset, isFine]) => {
    const text = date.toISOString().slice(0, isFine ? 23 : 19);
    return `${text}${offset}`;
  });
}

function bounds(schema: JsonSchema, lowest: number, highest: number): { min: number; max: number } {
  // Enough for whole numbers, and a number that is no whole one stays within it as well.
  const above = Number(schema["exclusiveMinimum"] ?? lowest - 1) + 1;
  const min = Math.max(lowest, Number(schema["minimum"] ?? lowest), above);
  return { min, max: Math.min(highest, Number(schema["maximum"] ?? highest)) };
}

/** Whether a value of no particular form survives JSON and PostgreSQL: what any data of an event has to. */
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
