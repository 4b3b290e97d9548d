import type { DueJob } from "../queue/due-jobs.ts";

/** Weight of the newest call in the moving average, which so covers about the last twenty. */
const WEIGHT = 0.05;
/** Time without a finished call after which functions count as unavailable instead of slow, so that events are accepted. */
const UNAVAILABLE_AFTER_MS = 10_000;

/**
 * Accepted runs that wait for their first call, and an estimate of their delay. Calls run concurrently, so the pace is
 * measured as the time from the end of one call to the end of the next, not as the duration of a call.
 */
export class Backlog {
  readonly #maxDelay: number;
  readonly #waiting = new Set<number>();
  /** Senders that wait for capacity, in order of arrival. */
  readonly #senders = new Set<() => void>();
  #msPerCall = 0;
  #lastEnd = 0;

  /** @param maxDelay in milliseconds; Infinity means no limit */
  constructor(maxDelay: number) {
    this.#maxDelay = maxDelay;
  }

  /** Adds newly queued first calls. */
  add(jobs: readonly DueJob[], now = performance.now()): void {
    if (this.#maxDelay === Number.POSITIVE_INFINITY) return;
    if (this.#waiting.size === 0) this.#lastEnd = now;
    for (const { id } of jobs) this.#waiting.add(id);
  }

  /** Records the end of a call, whatever its result. */
  ended({ id }: DueJob, now = performance.now()): void {
    if (!this.#waiting.delete(id)) return;
    const took = now - this.#lastEnd;
    // The first end after downtime does not reflect the pace, and would refuse senders for dozens of calls.
    if (took <= UNAVAILABLE_AFTER_MS) this.#msPerCall += (took - this.#msPerCall) * WEIGHT;
    this.#lastEnd = now;
    // One for one: admitted senders count only once their events are stored, so admitting all at once would be too many.
    const next = this.#waiting.size === 0 ? this.#senders.size : 1;
    if (this.delay(now) <= this.#maxDelay) for (const admit of [...this.#senders].slice(0, next)) admit();
  }

  /** Returns the expected delay of a call that is queued now, in milliseconds; 0 while unknown. */
  delay(now = performance.now()): number {
    if (now - this.#lastEnd > UNAVAILABLE_AFTER_MS) return 0;
    return this.#waiting.size * this.#msPerCall;
  }

  /** Waits for capacity. Resolves with false when there is none after `timeout` milliseconds. */
  async waitForCapacity(timeout: number): Promise<boolean> {
    if (this.#senders.size === 0 && this.delay() <= this.#maxDelay) return true;
    return await new Promise((resolve) => {
      const settle = (hasCapacity: boolean) => {
        clearTimeout(timer);
        this.#senders.delete(admit);
        resolve(hasCapacity);
      };
      const admit = () => settle(true);
      const timer = setTimeout(() => settle(this.delay() <= this.#maxDelay), timeout);
      this.#senders.add(admit);
    });
  }
}
