/** A source of numbers from 0 up to 1, the same for the same seed: a report must not differ from one run to the next. */
export type Random = () => number;

/** Creates a source of numbers (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A whole number from `least` to `most`. */
export function wholeNumber(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** One of the items. @throws RangeError for an empty list */
export function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[wholeNumber(random, 0, items.length - 1)];
  if (item === undefined) throw new RangeError("There is no item to choose.");
  return item;
}
