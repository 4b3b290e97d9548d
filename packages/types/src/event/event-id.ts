import { V7Generator } from "uuidv7";

// Present in Node.js and browsers; this package is compiled without the types of either.
declare const crypto: { getRandomValues(numbers: Uint32Array): void };

/** Enough for five hundred ids, which is about a batch. */
const RANDOM_NUMBERS = 1_024;

/**
 * A source of random numbers for ids, fetched in bulk: a call of `getRandomValues` costs about as much for one id as for
 * all of these, and the uuidv7 package's own buffer lasts for four.
 */
class RandomNumbers {
  private readonly numbers = new Uint32Array(RANDOM_NUMBERS);
  private next = RANDOM_NUMBERS;

  nextUint32(): number {
    if (this.next === RANDOM_NUMBERS) {
      crypto.getRandomValues(this.numbers);
      this.next = 0;
    }
    const number = this.numbers[this.next] ?? 0;
    this.next += 1;
    return number;
  }
}

const generator = new V7Generator(new RandomNumbers());

/** Creates an event id: UUID version 7, so that ids sort by creation time. */
export function createEventId(): string {
  return generator.generate().toString();
}
