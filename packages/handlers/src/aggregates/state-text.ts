import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "@synap/types";

/** Serialises a state as JSON; undefined when parsing would give another state, as with a Date, -0 or undefined in it. */
export function writeState(state: JsonObject): string | undefined {
  const text = JSON.stringify(state);
  return isDeepStrictEqual(JSON.parse(text), state) ? text : undefined;
}
