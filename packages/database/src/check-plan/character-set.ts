/** A set of characters, as ranges of their codes, first and last included. */
export type CharacterSet = readonly (readonly [first: number, last: number])[];

const LAST = 0x10ffff;

export const DIGITS: CharacterSet = [[0x30, 0x39]];
export const WORD: CharacterSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** The characters that `\s` matches in JavaScript: white space and line ends of Unicode. PostgreSQL's depends on the locale. */
export const SPACE: CharacterSet = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
export const LINE_ENDS: CharacterSet = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];

/** The characters that are not in a set. */
export function complement(set: CharacterSet): CharacterSet {
  const rest: [number, number][] = [];
  let next = 0;
  for (const [first, last] of [...set].sort(([one], [other]) => one - other)) {
    if (first > next) rest.push([next, first - 1]);
    next = Math.max(next, last + 1);
  }
  if (next <= LAST) rest.push([next, LAST]);
  return rest;
}

/** The set with the other case of each of its letters from A to Z. */
export function inBothCases(set: CharacterSet): CharacterSet {
  const shifted = (from: number, to: number, by: number) =>
    set.flatMap(([first, last]): [number, number][] => {
      const [low, high] = [Math.max(first, from), Math.min(last, to)];
      return low > high ? [] : [[low + by, high + by]];
    });
  return [...set, ...shifted(0x41, 0x5a, 32), ...shifted(0x61, 0x7a, -32)];
}

/**
 * The offset at which `synap.utf16_text` puts the halves of surrogate pairs, which PostgreSQL's text can't hold: 0xD800 is at 0x10D800. Every
 * character beyond U+FFFF is replaced there, so these codes have no other meaning.
 */
export const SURROGATE_OFFSET = 0x100000;

/** The set of UTF-16 code units as `synap.utf16_text` writes them. */
export function asUnits(set: CharacterSet): CharacterSet {
  return set.flatMap(([first, last]): [number, number][] => {
    const parts: [number, number][] = [];
    if (first < 0xd800) parts.push([first, Math.min(last, 0xd7ff)]);
    const [low, high] = [Math.max(first, 0xd800), Math.min(last, 0xdfff)];
    if (low <= high) parts.push([low + SURROGATE_OFFSET, high + SURROGATE_OFFSET]);
    if (last > 0xdfff) parts.push([Math.max(first, 0xe000), last]);
    return parts;
  });
}

/** Writes a set as a bracket expression of PostgreSQL. */
export function bracket(set: CharacterSet, isNegated: boolean): string {
  // Code 0 is in no text of PostgreSQL and in none of its patterns.
  const ranges = set.flatMap(([first, last]) => (last === 0 ? [] : [[Math.max(first, 1), last] as const]));
  const members = ranges.map(([first, last]) =>
    first === last ? character(first) : `${character(first)}-${character(last)}`,
  );
  if (members.length > 0) return `[${isNegated ? "^" : ""}${members.join("")}]`;
  return isNegated ? "." : `[^${character(1)}-${character(LAST)}]`;
}

/** Writes a character so that it stands for itself in any place of a pattern. */
export function character(code: number): string {
  const isPlain = WORD.some(([first, last]) => first <= code && code <= last);
  if (isPlain) return String.fromCharCode(code);
  const hex = code.toString(16);
  return code > 0xffff ? `\\U${hex.padStart(8, "0")}` : `\\u${hex.padStart(4, "0")}`;
}
