/** Weight of the newest envelope in the moving average: about the last twenty count. */
const WEIGHT = 0.05;

/** Measures the time that the broker takes to accept envelopes, and estimates the wait of queued ones. */
export class SendPace {
  readonly #concurrency: number;
  /** Start times of the envelopes in flight, oldest first. */
  readonly #inFlight = new Set<{ readonly began: number }>();
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
    this.#inFlight.add(envelope);
    return (ended = performance.now()) => {
      if (!this.#inFlight.delete(envelope)) return;
      this.#meanMs += (ended - now - this.#meanMs) * WEIGHT;
    };
  }

  /**
   * Estimates the time to send this many queued envelopes, in milliseconds. A broker that has stopped answering counts as slow,
   * because every slot then has an envelope that has been in flight for long. A single stuck envelope has no effect, because
   * the other slots continue.
   */
  waitOf(envelopes: number, now = performance.now()): number {
    const newest = [...this.#inFlight].at(-1);
    const isFull = this.#inFlight.size >= this.#concurrency;
    const age = newest === undefined || !isFull ? 0 : now - newest.began;
    return (envelopes * Math.max(this.#meanMs, age)) / this.#concurrency;
  }
}
