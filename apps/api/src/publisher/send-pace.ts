/** How much the newest envelope changes the mean: about the last twenty count. */
const WEIGHT = 0.05;

/** How long envelopes take to get to the broker, and so how long those that wait behind them will have to. */
export class SendPace {
  readonly #concurrency: number;
  /** When each envelope under way began, the oldest first. */
  readonly #underWay = new Set<{ readonly began: number }>();
  #meanMs = 0;

  /** @param concurrency how many envelopes are sent at a time */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** How long an envelope takes, in milliseconds; 0 before the first. */
  get meanMs(): number {
    return this.#meanMs;
  }

  /** An envelope leaves. Call what it returns when the envelope is through, or failed. */
  begin(now = performance.now()): (now?: number) => void {
    const envelope = { began: now };
    this.#underWay.add(envelope);
    return (ended = performance.now()) => {
      if (!this.#underWay.delete(envelope)) return;
      this.#meanMs += (ended - now - this.#meanMs) * WEIGHT;
    };
  }

  /**
   * How long so many waiting envelopes will take, in milliseconds. A broker that has stopped answering counts as slow: every
   * place is taken then, by envelopes that have been under way for long. One envelope that is stuck says nothing of the
   * others, which go on beside it.
   */
  waitOf(envelopes: number, now = performance.now()): number {
    const newest = [...this.#underWay].at(-1);
    const isFull = this.#underWay.size >= this.#concurrency;
    const age = newest === undefined || !isFull ? 0 : now - newest.began;
    return (envelopes * Math.max(this.#meanMs, age)) / this.#concurrency;
  }
}
