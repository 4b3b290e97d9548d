import type { JsonObject } from "@synap/types";

/** True for an object. The value was parsed from JSON. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
