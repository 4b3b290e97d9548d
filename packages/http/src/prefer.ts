import { splitOutsideQuotes } from "./accept.ts";

/** Preferences that a header may have; the rest is not looked at. */
const MAX_PREFERENCES = 32;

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"';
const VALUE = `[ \\t]*=[ \\t]*(?:(${TOKEN})|${QUOTED})`;
const PREFERENCE = new RegExp(`^(${TOKEN})(?:${VALUE})?[ \\t]*(?=;|$)`);
const PARAMETER = new RegExp(`;[ \\t]*(?:${TOKEN}(?:${VALUE})?[ \\t]*)?(?=;|$)`, "y");

/**
 * Returns the preferences of a `Prefer` header and their values, by their names in lower case (RFC 7240). One without a value has the empty
 * text, and of one that is given twice the first counts. Parameters of preferences are checked, and left out. A preference that is none by
 * the grammar is left out too, and the others are read.
 */
export function readPrefer(header: string): ReadonlyMap<string, string> {
  const preferences = new Map<string, string>();
  for (const part of splitOutsideQuotes(header).slice(0, MAX_PREFERENCES)) {
    const text = part.trim();
    const found = PREFERENCE.exec(text);
    const name = found?.[1]?.toLowerCase();
    if (found === null || name === undefined || preferences.has(name)) continue;
    if (!areParameters(text, found[0].length)) continue;
    preferences.set(name, found[2] ?? found[3]?.replaceAll(/\\(.)/g, "$1") ?? "");
  }
  return preferences;
}

/** True if a text has nothing but parameters from an index on. */
function areParameters(text: string, from: number): boolean {
  PARAMETER.lastIndex = from;
  while (PARAMETER.lastIndex < text.length) if (!PARAMETER.test(text)) return false;
  return true;
}
