import { type JsonBounds, jsonFault } from "@synap/http";

/**
 * What a body may hold. Values: as many as fit into the largest event, 3 MiB, each with a comma. Depth: an envelope is six
 * levels around its events' data, which are at most 32 deep; what functions return may be deeper.
 */
export const BODY_BOUNDS: JsonBounds = { maxDepth: 256, maxValues: 1_600_000 };

/** The value of a JSON body, or what is wrong with it. */
export type BodyReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/** Parses a body within the bounds: what is beyond them is refused before anything is built from it. */
export function readJson(text: string, bounds: JsonBounds = BODY_BOUNDS): BodyReading {
  const fault = jsonFault(text, bounds);
  if (fault !== undefined) return { ok: false, reason: fault };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, reason: `invalid JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
