import { diagnoseJson, endOfString, type JsonIssue, type JsonSpan } from "./diagnose-json.ts";

/** Limits of a JSON text. */
export interface JsonTextLimits {
  /** The deepest nesting; the outermost container counts as 1. */
  readonly maxDepth: number;
  /**
   * The most values, objects and arrays included. They are what a text costs: 390,000 names in 4.6 MB took more than two
   * seconds of the event loop on their way through the checks, and one string of that size a few milliseconds.
   */
  readonly maxValues: number;
}

/** The value of a text, unchanged by parsing, or why it is refused. */
export type JsonReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly findings: readonly JsonIssue[] };

/** As `JsonReading`, with the number of values in the text: for a limit that several texts share. */
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
  const sure = parseUndoubted(text, scan, limits.maxDepth);
  if (sure !== undefined) return sure;
  const { findings } = diagnoseJson(text, limits.maxDepth);
  return findings.length > 0 ? { ok: false, findings } : parseInspected(text);
}

/** One item of a batch: its value, or why this item is refused. */
export type ItemReading = JsonReading;

/** A batch, read so that what is wrong with one item costs no other. */
export type BatchReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: true; readonly items: readonly ItemReading[] }
  | { readonly ok: false; readonly findings: readonly JsonIssue[] };

/**
 * Reads a JSON text that holds a batch: an array, or an object with an array under `events`. A doubt inside one item
 * (a repeated name, an inexact number, nesting) refuses that item only; a syntax error refuses the whole text,
 * because nothing after it can be trusted. The depth is that of an item, the number of values that of the whole text.
 */
export function parseJsonBatch(text: string, limits: JsonTextLimits): BatchReading {
  // The containers around an item are an array and perhaps an object. A bare array may so hold an item one level
  // deeper than allowed; the catalogue's own check of the depth finds it.
  const maxDepth = limits.maxDepth + 2;
  const scan = scanJson(text, limits.maxValues);
  if (scan.values > limits.maxValues) return tooManyValues(limits);
  const sure = parseUndoubted(text, scan, maxDepth);
  if (sure !== undefined) return sure;
  const { findings, items } = diagnoseJson(text, maxDepth);
  const isBroken = findings.some((finding) => finding.code === "malformed-json");
  if (isBroken || items.length === 0)
    return findings.length > 0 ? { ok: false, findings } : parseInspected(text);
  const outside = findings.filter(({ position }) => !isInsideAnItem(position, items));
  if (outside.length > 0) return { ok: false, findings: outside };
  return { ok: true, items: items.map((item) => parseItem(text, item, limits)) };
}

function parseItem(text: string, { start, end }: JsonSpan, limits: JsonTextLimits): ItemReading {
  return parseJson(text.slice(start, end), limits);
}

/** The items stand in the order of the text, so the one that could hold the position is found by halving. */
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

/** The parsed value, if the scan shows that `JSON.parse` keeps everything; undefined when `diagnoseJson` has to decide. */
function parseUndoubted(
  text: string,
  scan: JsonScan,
  maxDepth: number,
): { ok: true; value: unknown } | undefined {
  if (scan.depth > maxDepth || scan.hasDoubtfulNumber) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return countMembers(value) === scan.members ? { ok: true, value } : undefined;
  } catch {
    return undefined;
  }
}

function parseInspected(text: string): JsonReading {
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

const QUOTE = 34;

/** Counts from one quick pass over a JSON text. Only meaningful when the text is valid JSON. */
export interface JsonScan {
  /** How deep objects and arrays are nested; 1 for a flat one, 0 for a bare value. */
  readonly depth: number;
  /** How many members all objects have together, counting a repeated name each time. */
  readonly members: number;
  /** How many values there are, objects and arrays included. Counting stops behind `maxValues`, and so does the pass. */
  readonly values: number;
  /** Whether a number is written in a way that JavaScript may not keep: many digits, or an exponent. */
  readonly hasDoubtfulNumber: boolean;
}

/** A number of at most this many characters, without an exponent, always survives `JSON.parse`. */
const CERTAIN_NUMBER_LENGTH = 15;

/**
 * Scans the text for what `JSON.parse` would hide: it drops all but the last of repeated names, and rounds numbers.
 * Repeated names show as a difference between `members` and the members of the parsed value (`countMembers`), so
 * nothing has to be remembered here. Skips strings with `indexOf`, allocates nothing, never recurses: about half of
 * what `JSON.parse` itself costs (0.75 ms against 1.4 ms for 1,000 events of 400 bytes).
 */
export function scanJson(text: string, maxValues: number): JsonScan {
  let values = 0;
  let depth = 0;
  let deepest = 0;
  let members = 0;
  let hasDoubtfulNumber = false;
  const { length } = text;
  for (let index = 0; index < length && values <= maxValues; index += 1) {
    const character = text.charCodeAt(index);
    if (character === QUOTE) {
      index = endOfString(text, index);
      if (index < 0) break;
      values += 1;
    } else if (character === 58 /* : */) {
      members += 1;
      // The text before it was a name.
      values -= 1;
    } else if (character === 123 /* { */ || character === 91 /* [ */) {
      values += 1;
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (character === 125 /* } */ || character === 93 /* ] */) {
      depth -= 1;
    } else if (character >= 48 && character <= 57) {
      const start = index;
      values += 1;
      while (isPartOfNumber(text.charCodeAt(index + 1))) index += 1;
      if (index - start >= CERTAIN_NUMBER_LENGTH || hasExponent(text, start, index)) hasDoubtfulNumber = true;
    } else if (
      character === 116 /* true */ ||
      character === 102 /* false */ ||
      character === 110 /* null */
    ) {
      values += 1;
    }
  }
  return { depth: deepest, members, values, hasDoubtfulNumber };
}

/** How many members all objects inside a parsed value have together. */
export function countMembers(value: unknown): number {
  let members = 0;
  const pending: object[] = [];
  if (typeof value === "object" && value !== null) pending.push(value);
  for (let container = pending.pop(); container !== undefined; container = pending.pop()) {
    if (Array.isArray(container)) {
      for (const item of container) if (typeof item === "object" && item !== null) pending.push(item);
      continue;
    }
    for (const name in container) {
      members += 1;
      const child: unknown = Reflect.get(container, name);
      if (typeof child === "object" && child !== null) pending.push(child);
    }
  }
  return members;
}

function isPartOfNumber(character: number): boolean {
  return (
    (character >= 48 && character <= 57) ||
    character === 46 ||
    (character | 32) === 101 ||
    character === 43 ||
    character === 45
  );
}

function hasExponent(text: string, start: number, end: number): boolean {
  for (let index = start; index <= end; index += 1) {
    if ((text.charCodeAt(index) | 32) === 101) return true;
  }
  return false;
}
