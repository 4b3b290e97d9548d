import { z } from "zod";

/** The dialect of JSON Schema, draft 2020-12. */
export const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/** Keywords that say nothing about which data is accepted. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  "title",
  "description",
  "$comment",
  "default",
  "deprecated",
  "examples",
  "readOnly",
  "writeOnly",
]);

/** The keywords of each type, beside those of all. */
export const KEYWORDS = {
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  integer: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  boolean: [],
  null: [],
  array: ["items", "minItems", "maxItems"],
  object: ["properties", "required", "additionalProperties"],
} as const satisfies Record<string, readonly string[]>;

/** The name of a type. */
export type TypeName = keyof typeof KEYWORDS;

/** Why keywords of JSON Schema are not among these, as far as there is more to say than that. */
export const REASONS: Readonly<Record<string, string>> = {
  multipleOf:
    "is not supported, because fractions can't be divided exactly; use whole numbers of a smaller unit",
  uniqueItems: "is not supported, because the database compares items in another way",
  allOf: "is not supported; write the fields of all parts in one object",
  not: "is not supported; list what is accepted",
  personal: "is not supported in a registered schema: sealing takes a type that is defined in code",
  patternProperties: "is not supported; use additionalProperties with a schema",
  propertyNames: "is not supported; use additionalProperties with a schema",
  prefixItems: "is not supported; use an object with named fields",
  $id: "is not supported, because references lead to $defs of the schema itself only",
  definitions: "is not supported; its name is $defs",
};

/** The formats, each with the schema that checks it. */
export const FORMATS: Readonly<Record<string, () => z.ZodType<string>>> = {
  "date-time": () => z.iso.datetime({ offset: true }),
  date: () => z.iso.date(),
  email: () => z.email(),
  uuid: () => z.guid(),
  ipv4: () => z.ipv4(),
  ipv6: () => z.ipv6(),
};

/** All names of types. */
export const TYPE_NAMES = Object.keys(KEYWORDS);

/** True for the name of a type. */
export function isTypeName(name: unknown): name is TypeName {
  return typeof name === "string" && Object.hasOwn(KEYWORDS, name);
}

/** True for a keyword that some type has. */
export function isKeyword(name: string): boolean {
  return Object.values(KEYWORDS).some((names: readonly string[]) => names.includes(name));
}

/** True if a value has the type of this name. */
export function hasType(value: string | number | boolean | null, name: unknown): boolean {
  if (value === null) return name === "null";
  if (typeof value !== "number") return name === typeof value;
  return name === "number" || (name === "integer" && Number.isInteger(value));
}
