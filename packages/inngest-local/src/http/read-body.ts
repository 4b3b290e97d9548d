import { type JsonBounds, jsonFault } from "@synap/http";

/**
 * Bounds of a JSON body. Values: as many as fit into the largest event, 3 MiB, each with a comma. Depth: an envelope adds
 * six levels to its events' data, which are at most 32 deep; results of functions may be deeper.
 */
export const BODY_BOUNDS: JsonBounds = { maxDepth: 256, maxValues: 1_600_000 };

/** Parsed value of a JSON body, or the reason for refusing it. */
export type BodyReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/** Parses a JSON body after checking its bounds. */
export function readJson(text: string, bounds: JsonBounds = BODY_BOUNDS): BodyReading {
  const fault = jsonFault(text, bounds);
  if (fault !== undefined) return { ok: false, reason: fault };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, reason: `invalid JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
