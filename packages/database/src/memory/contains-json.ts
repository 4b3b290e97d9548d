import type { JsonValue } from "@synap/types";

/**
 * Checks that a JSON value contains another, as the operator `@>` of PostgreSQL's jsonb does: an object each of its fields, an
 * array each of its items in some place, and anything else only itself. Neither order nor repetition of items counts.
 */
export function containsJson(value: JsonValue | undefined, part: JsonValue): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(value) && part.every((item) => value.some((each) => containsJson(each, item)));
  }
  if (isObject(part)) {
    return (
      isObject(value) &&
      Object.entries(part).every(
        ([name, field]) => Object.hasOwn(value, name) && containsJson(value[name], field),
      )
    );
  }
  return value === part;
}

function isObject(value: JsonValue | undefined): value is { readonly [name: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
