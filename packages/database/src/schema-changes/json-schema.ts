/** A JSON Schema (draft 2020-12), or a part of one. */
export type JsonSchema = boolean | SchemaObject;

/** A schema that is an object of keywords. */
export interface SchemaObject {
  readonly [keyword: string]: unknown;
}

/** The kinds of JSON values. Whole numbers are numbers. */
export const KINDS = ["string", "number", "boolean", "null", "array", "object"] as const;

export type Kind = (typeof KINDS)[number];

/** Keywords that say nothing about which values are accepted. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  "$comment",
  "$defs",
  "$id",
  "$schema",
  "contentEncoding",
  "contentMediaType",
  "contentSchema",
  "default",
  "definitions",
  "deprecated",
  "description",
  "example",
  "examples",
  "id",
  "personal",
  "readOnly",
  "title",
  "writeOnly",
]);

/** Keywords that are compared by what they mean. */
export const COMPARED: ReadonlySet<string> = new Set([
  "$ref",
  "additionalProperties",
  "allOf",
  "anyOf",
  "const",
  "enum",
  "exclusiveMaximum",
  "exclusiveMinimum",
  "format",
  "items",
  "maxItems",
  "maxLength",
  "maxProperties",
  "maximum",
  "minItems",
  "minLength",
  "minProperties",
  "minimum",
  "multipleOf",
  "oneOf",
  "pattern",
  "patternProperties",
  "prefixItems",
  "properties",
  "propertyNames",
  "required",
  "type",
  "uniqueItems",
]);

/** Reads a part of a schema. What is no schema accepts everything, so that nothing is proven with it. */
export function asSchema(part: unknown): JsonSchema {
  if (typeof part === "boolean") return part;
  return isObject(part) ? part : true;
}

/** True for a JSON object. */
export function isObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function listOf(part: unknown): readonly unknown[] {
  return Array.isArray(part) ? part : [];
}

export function objectOf(part: unknown): SchemaObject {
  return isObject(part) ? part : {};
}

/** The keywords that decide which values are accepted. */
export function assertionsOf(schema: SchemaObject): readonly string[] {
  return Object.keys(schema).filter((keyword) => !ANNOTATIONS.has(keyword) && !keyword.startsWith("x-"));
}

/** The part of a document that a `$ref` of it names; undefined if there is none, or if it leads out of the document. */
export function resolveReference(root: JsonSchema, reference: unknown): JsonSchema | undefined {
  if (typeof reference !== "string" || !/^#(\/|$)/.test(reference)) return undefined;
  let part: unknown = root;
  for (const token of reference.split("/").slice(1)) {
    const key = decodeURIComponent(token).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof part !== "object" || part === null || !Object.hasOwn(part, key)) return undefined;
    part = Reflect.get(part, key);
  }
  return typeof part === "boolean" || isObject(part) ? part : undefined;
}

/** A schema as text in which the order of keywords, of fields and of required names doesn't matter. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(sortKeys(value));
}

/** The same JSON with all keys in the order of their text, and lists of required names sorted. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(
    keys.map((key) => {
      const part = value[key];
      const isNames =
        key === "required" && Array.isArray(part) && part.every((name) => typeof name === "string");
      return [key, isNames ? [...part].sort() : sortKeys(part)];
    }),
  );
}

/** The kinds that a schema names; all of them if it names none. */
export function kindsOf(schema: SchemaObject): readonly Kind[] {
  const named = schema["type"];
  if (named === undefined) return KINDS;
  const names = [named].flat().map((name) => (name === "integer" ? "number" : name));
  return KINDS.filter((kind) => names.includes(kind));
}

/** True if the numbers of a schema are whole numbers. */
export function isWhole(schema: SchemaObject): boolean {
  const names = [schema["type"]].flat();
  const multiple = schema["multipleOf"];
  return (
    (names.includes("integer") && !names.includes("number")) ||
    (typeof multiple === "number" && Number.isInteger(multiple))
  );
}

/** The values of a schema that has a list of them: `const`, `enum`, and the kinds with one or two values. */
export function valuesOf(schema: SchemaObject): readonly unknown[] | undefined {
  if (Object.hasOwn(schema, "const")) return [schema["const"]];
  if (Array.isArray(schema["enum"])) return schema["enum"];
  const kinds = kindsOf(schema);
  if (!kinds.every((kind) => kind === "boolean" || kind === "null")) return undefined;
  return kinds.flatMap((kind) => (kind === "null" ? [null] : [true, false]));
}
