/** A seeded random generator: the same seed gives the same choices. */
export interface Random {
  /** From 0, below 1. */
  next(): number;
  /** A whole number, both limits included. */
  whole(least: number, most: number): number;
  /** True with this probability. */
  happens(share: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  /** One of several, each as often as its share of the sum of all shares. */
  pickByShare<T extends { readonly share: number }>(from: readonly [T, ...T[]]): T;
  /** Milliseconds of a pause: mostly short, now and then nearly `most`. */
  pause(most: number): number;
}

/**
 * Creates a random generator from a seed (the algorithm "mulberry32": 32 bits of state, good enough to choose what to do next).
 *
 * @param seed a whole number; `lane` separates generators that share a seed
 */
export function createRandom(seed: number, lane = ""): Random {
  let state = seed >>> 0;
  for (const character of lane) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    whole,
    happens: (share) => next() < share,
    pick: (from) => from[whole(0, from.length - 1)] ?? from[0],
    pickByShare: (from) => {
      let left = next() * from.reduce((sum, { share }) => sum + share, 0);
      for (const one of from) {
        left -= one.share;
        if (left < 0) return one;
      }
      return from[0];
    },
    pause: (most) => next() ** 3 * most,
  };
}
