import { countMembers, type JsonScan, scanJson } from "@synap/http";
import { diagnoseJson, type JsonIssue, type JsonSpan } from "./diagnose-json.ts";

/** Limits of a JSON text. */
export interface JsonTextLimits {
  /** Nesting limit of the part it applies to, such as an event's data; its outermost container counts as 1. */
  readonly maxDepth: number;
  /** Number of containers around that part in the text: an event is one around its data. Default: none. */
  readonly around?: number;
  /**
   * Maximum number of values, including objects and arrays. The number of values determines the cost of the checks, not the
   * size: 390,000 names in 4.6 MB took more than two seconds of the event loop, one string of that size a few milliseconds.
   */
  readonly maxValues: number;
}

/** The value of a text, unchanged by parsing, or the reasons to refuse it. */
export type JsonReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly findings: readonly JsonIssue[] };

/** A `JsonReading` with the number of values in the text, for a limit across several texts. */
export type CountedReading = JsonReading & { readonly values: number };

/**
 * Parses a JSON text, refusing whatever `JSON.parse` would silently change: repeated names in an object and numbers
 * with more digits than a double keeps. Nesting beyond `maxDepth` and more values than `maxValues` are refused before
 * anything is built from them.
 */
export function parseJson(text: string, limits: JsonTextLimits): CountedReading {
  const scan = scanJson(text, limits.maxValues);
  return { ...parseScanned(text, scan, limits), values: scan.values };
}

function parseScanned(text: string, scan: JsonScan, limits: JsonTextLimits): JsonReading {
  if (scan.values > limits.maxValues) return tooManyValues(limits);
  const sure = parseIfExact(text, scan, limits);
  if (sure !== undefined) return sure;
  const { findings } = diagnoseJson(text, limits);
  return findings.length > 0 ? { ok: false, findings } : parseDiagnosed(text);
}

/** One item of a batch: its value, or the reasons to refuse it. */
export type ItemReading = JsonReading;

/** A parsed batch, in which an invalid item does not affect the others. */
export type BatchReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: true; readonly items: readonly ItemReading[] }
  | { readonly ok: false; readonly findings: readonly JsonIssue[] };

/**
 * Parses a batch: an array, or an object with an array under `events`. A fault inside an item (a repeated name, an inexact
 * number, nesting) refuses that item only. A syntax error refuses the whole text, because nothing after it can be
 * trusted. `maxDepth` applies to each item, `maxValues` to the whole text.
 */
export function parseJsonBatch(text: string, limits: JsonTextLimits): BatchReading {
  // The containers around an item are an array and perhaps an object. A bare array may thus hold an item one level
  // deeper than allowed; the catalogue's own check of the depth finds it.
  const whole = { ...limits, around: (limits.around ?? 0) + 2 };
  const scan = scanJson(text, limits.maxValues);
  if (scan.values > limits.maxValues) return tooManyValues(limits);
  const sure = parseIfExact(text, scan, whole);
  if (sure !== undefined) return sure;
  const { findings, items } = diagnoseJson(text, whole);
  const isBroken = findings.some((finding) => finding.code === "malformed-json");
  if (isBroken || items.length === 0)
    return findings.length > 0 ? { ok: false, findings } : parseDiagnosed(text);
  const outside = findings.filter(({ position }) => !isInsideAnItem(position, items));
  if (outside.length > 0) return { ok: false, findings: outside };
  return { ok: true, items: items.map((item) => parseItem(text, item, limits)) };
}

function parseItem(text: string, { start, end }: JsonSpan, limits: JsonTextLimits): ItemReading {
  return parseJson(text.slice(start, end), limits);
}

/** Binary search: the items are in the order of the text. */
function isInsideAnItem(position: number, items: readonly JsonSpan[]): boolean {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.end ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  const item = items[low];
  return item !== undefined && position >= item.start;
}

/** Parses the text if the scan shows that `JSON.parse` keeps everything; undefined if `diagnoseJson` has to decide. */
function parseIfExact(
  text: string,
  scan: JsonScan,
  { maxDepth, around = 0 }: JsonTextLimits,
): { ok: true; value: unknown } | undefined {
  if (scan.depth > maxDepth + around || scan.hasInexactNumber) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return countMembers(value) === scan.members ? { ok: true, value } : undefined;
  } catch {
    return undefined;
  }
}

function parseDiagnosed(text: string): JsonReading {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, findings: [{ code: "malformed-json", position: 0, path: "", reason }] };
  }
}

function tooManyValues({ maxValues }: JsonTextLimits): { ok: false; findings: readonly JsonIssue[] } {
  const reason = `holds more than ${maxValues} values`;
  return { ok: false, findings: [{ code: "too-many-values", position: 0, path: "", reason }] };
}
