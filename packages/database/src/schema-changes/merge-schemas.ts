import {
  asSchema,
  canonicalText,
  isObject,
  type JsonSchema,
  listOf,
  objectOf,
  type SchemaObject,
} from "./json-schema.ts";

/**
 * One schema for several that hold at the same time. It accepts at least what all of them accept, so what is proven for its
 * values is proven for theirs.
 */
export function mergeSchemas(parts: readonly JsonSchema[]): JsonSchema {
  let merged: SchemaObject = {};
  for (const part of parts) {
    if (part === false) return false;
    if (part !== true) merged = mergeTwo(merged, part);
  }
  return merged;
}

/** Keywords whose meaning depends on those beside them, so that they can't be combined with others of their kind. */
const TOGETHER = [
  "contains",
  "dependentSchemas",
  "else",
  "if",
  "maxContains",
  "minContains",
  "patternProperties",
  "prefixItems",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
];

function mergeTwo(one: SchemaObject, other: SchemaObject): SchemaObject {
  if ([one, other].every((schema) => TOGETHER.some((keyword) => keyword in schema)))
    return canonicalText(one) === canonicalText(other)
      ? one
      : { ...one, allOf: [...listOf(one["allOf"]), other] };
  const merged: Record<string, unknown> = { ...one };
  const further: unknown[] = [];
  for (const [keyword, value] of Object.entries(other)) {
    const before = merged[keyword];
    if (before === undefined || canonicalText(before) === canonicalText(value)) merged[keyword] = value;
    else {
      const both = mergeKeyword(keyword, before, value);
      if (both === undefined) further.push({ [keyword]: value });
      else merged[keyword] = both;
    }
  }
  if (further.length > 0) merged["allOf"] = [...listOf(merged["allOf"]), ...further];
  return merged;
}

const HIGHER = new Set(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"]);
const LOWER = new Set(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"]);

/** One value of a keyword for two; undefined if there is none. */
function mergeKeyword(keyword: string, one: unknown, other: unknown): unknown {
  if (typeof one === "number" && typeof other === "number") {
    if (HIGHER.has(keyword)) return Math.max(one, other);
    if (LOWER.has(keyword)) return Math.min(one, other);
  }
  switch (keyword) {
    case "type":
      return mergeTypes([one].flat(), [other].flat());
    case "required":
      return [...new Set([...listOf(one), ...listOf(other)])];
    case "allOf":
      return [...listOf(one), ...listOf(other)];
    case "enum": {
      const texts = new Set(listOf(other).map(canonicalText));
      return listOf(one).filter((value) => texts.has(canonicalText(value)));
    }
    case "properties":
      return mergeProperties(objectOf(one), objectOf(other));
    case "additionalProperties":
    case "items":
    case "propertyNames":
      return mergeSchemas([asSchema(one), asSchema(other)]);
    default:
      return isAnnotation(keyword) ? one : undefined;
  }
}

function isAnnotation(keyword: string): boolean {
  return ["description", "title", "examples", "$defs", "$schema", "$id", "id"].includes(keyword);
}

function mergeTypes(one: readonly unknown[], other: readonly unknown[]): readonly unknown[] {
  const types = one.filter(
    (type) => other.includes(type) || (type === "integer" && other.includes("number")),
  );
  const isWhole = other.includes("integer") && one.includes("number") && !types.includes("integer");
  return isWhole ? [...types, "integer"] : types;
}

function mergeProperties(one: SchemaObject, other: SchemaObject): SchemaObject {
  const merged: Record<string, unknown> = { ...one };
  for (const [name, schema] of Object.entries(other)) {
    const before = Object.hasOwn(one, name) ? one[name] : undefined;
    merged[name] =
      isObject(before) || typeof before === "boolean" ? mergeSchemas([before, asSchema(schema)]) : schema;
  }
  return merged;
}
