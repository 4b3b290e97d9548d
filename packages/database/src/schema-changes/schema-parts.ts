import {
  asSchema,
  canonicalText,
  isObject,
  isWhole,
  type JsonSchema,
  type Kind,
  kindsOf,
  listOf,
  resolveReference,
  type SchemaObject,
  valuesOf,
} from "./json-schema.ts";
import { mergeSchemas } from "./merge-schemas.ts";

/** The words for values of each kind in messages. */
export const NAMES: Readonly<Record<Kind, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  null: "null",
  array: "a list",
  object: "an object",
};

/** The keyword with those that it depends on. */
export function asPart(schema: SchemaObject, keyword: string): SchemaObject {
  if (["if", "then", "else"].includes(keyword)) return pick(schema, ["if", "then", "else"]);
  if (["contains", "minContains", "maxContains"].includes(keyword))
    return pick(schema, ["contains", "minContains", "maxContains"]);
  // What they apply to depends on everything else.
  if (keyword.startsWith("unevaluated")) return schema;
  return pick(schema, [keyword]);
}

function pick(schema: SchemaObject, keywords: readonly string[]): SchemaObject {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keywords.includes(keyword)));
}

/** The schema for values of one kind. */
export function ofKind(schema: SchemaObject, kind: Kind): SchemaObject {
  return { ...schema, type: kind === "number" && isWhole(schema) ? "integer" : kind };
}

/** The schema with the parts of its `allOf` in it. */
export function mergeAll(schema: SchemaObject): JsonSchema {
  const { allOf, ...rest } = schema;
  return mergeSchemas([rest, ...listOf(allOf).map(asSchema)]);
}

/** The parts that hold instead of a schema with a reference; undefined for one that leads nowhere. */
export function withoutReference(root: JsonSchema, schema: SchemaObject): readonly JsonSchema[] | undefined {
  if (!("$ref" in schema)) return [schema];
  const { $ref, ...rest } = schema;
  const target = resolveReference(root, $ref);
  return target === undefined ? undefined : [rest, target];
}

/** The schema that a reference stands for, with what is beside it. */
export function resolved(root: JsonSchema, schema: JsonSchema): JsonSchema {
  if (typeof schema === "boolean" || !("$ref" in schema)) return schema;
  const parts = withoutReference(root, schema);
  return parts === undefined ? true : mergeSchemas(parts);
}

/** True if no value fits both: another kind, or a field that both demand and of which they list other values. */
export function areDisjoint(one: JsonSchema, other: JsonSchema): boolean {
  if (one === false || other === false) return true;
  if (one === true || other === true) return false;
  if (!kindsOf(one).some((kind) => kindsOf(other).includes(kind))) return true;
  const [values, others] = [valuesOf(one), valuesOf(other)];
  if (values !== undefined && others !== undefined) {
    const texts = new Set(others.map(canonicalText));
    return !values.some((value) => texts.has(canonicalText(value)));
  }
  const isObjects = [one, other].every((each) => kindsOf(each).join() === "object");
  if (!isObjects) return false;
  const demanded = listOf(one["required"]).filter((name) => listOf(other["required"]).includes(name));
  return demanded.some((name) => {
    const fields = [one, other].map((each) => Reflect.get(asObject(each["properties"]), String(name)));
    const [left, right] = fields.map((field) => (isObject(field) ? field : undefined));
    return (
      left !== undefined && right !== undefined && valuesOf(left) !== undefined && areDisjoint(left, right)
    );
  });
}

function asObject(value: unknown): object {
  return isObject(value) ? value : {};
}
