/** Weight of the newest envelope in the moving average: about the last twenty count. */
const WEIGHT = 0.05;

/** Measures how long envelopes take to reach the broker, and estimates the wait of those queued behind them. */
export class SendPace {
  readonly #concurrency: number;
  /** Start times of the envelopes in flight, the oldest first. */
  readonly #underWay = new Set<{ readonly began: number }>();
  #meanMs = 0;

  /** @param concurrency number of envelopes sent at a time */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Average duration of an envelope, in milliseconds; 0 before the first. */
  get meanMs(): number {
    return this.#meanMs;
  }

  /** Starts timing an envelope. Call the returned function when it was delivered or failed. */
  begin(now = performance.now()): (now?: number) => void {
    const envelope = { began: now };
    this.#underWay.add(envelope);
    return (ended = performance.now()) => {
      if (!this.#underWay.delete(envelope)) return;
      this.#meanMs += (ended - now - this.#meanMs) * WEIGHT;
    };
  }

  /**
   * Estimates the time for this many queued envelopes, in milliseconds. A broker that has stopped answering counts as slow: every
   * slot is then taken by an envelope that has been in flight for long. A single envelope that is stuck does not affect the
   * others, which continue beside it.
   */
  waitOf(envelopes: number, now = performance.now()): number {
    const newest = [...this.#underWay].at(-1);
    const isFull = this.#underWay.size >= this.#concurrency;
    const age = newest === undefined || !isFull ? 0 : now - newest.began;
    return (envelopes * Math.max(this.#meanMs, age)) / this.#concurrency;
  }
}
