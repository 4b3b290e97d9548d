import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "@synap/types";

/** A state as JSON text; undefined when reading the text would give another state: one with a Date, -0 or undefined in it. */
export function writeState(state: JsonObject): string | undefined {
  const text = JSON.stringify(state);
  return isDeepStrictEqual(JSON.parse(text), state) ? text : undefined;
}
