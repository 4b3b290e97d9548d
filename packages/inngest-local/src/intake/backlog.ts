import type { DueJob } from "../queue/due-jobs.ts";

/** Weight of the newest call in the moving average: about the last twenty count. */
const WEIGHT = 0.05;
/** Time without a finished call after which functions count as unavailable rather than slow; the queue keeps accepting. */
const AWAY_MS = 10_000;

/**
 * What was taken in and has not been called yet, and how long it will wait at the pace of the last calls. Calls end side
 * by side, so the pace is the time from one end to the next while something waits, and not how long a call takes.
 */
export class Backlog {
  readonly #maxDelay: number;
  readonly #waiting = new Set<number>();
  /** Senders that wait for room, the one that came first first. */
  readonly #senders = new Set<() => void>();
  #msPerCall = 0;
  #lastEnd = 0;

  /** @param maxDelay in milliseconds; Infinity: there is always room */
  constructor(maxDelay: number) {
    this.#maxDelay = maxDelay;
  }

  /** First calls that were queued a moment ago. */
  add(jobs: readonly DueJob[], now = performance.now()): void {
    if (this.#maxDelay === Number.POSITIVE_INFINITY) return;
    if (this.#waiting.size === 0) this.#lastEnd = now;
    for (const { id } of jobs) this.#waiting.add(id);
  }

  /** A call has ended, whatever came of it. */
  ended({ id }: DueJob, now = performance.now()): void {
    if (!this.#waiting.delete(id)) return;
    const took = now - this.#lastEnd;
    // The first end after downtime does not reflect their pace, and would refuse senders for dozens of calls.
    if (took <= AWAY_MS) this.#msPerCall += (took - this.#msPerCall) * WEIGHT;
    this.#lastEnd = now;
    // One for one: those let in now count only once they are stored, so letting in all at once would let in too many.
    const next = this.#waiting.size === 0 ? this.#senders.size : 1;
    if (this.delay(now) <= this.#maxDelay) for (const letIn of [...this.#senders].slice(0, next)) letIn();
  }

  /** Expected delay of a call that is queued now, in milliseconds; 0 while unknown. */
  delay(now = performance.now()): number {
    if (now - this.#lastEnd > AWAY_MS) return 0;
    return this.#waiting.size * this.#msPerCall;
  }

  /** Resolves with true once there is room, with false when there is none after `timeout` milliseconds. */
  async room(timeout: number): Promise<boolean> {
    if (this.#senders.size === 0 && this.delay() <= this.#maxDelay) return true;
    return await new Promise((resolve) => {
      const settle = (isThere: boolean) => {
        clearTimeout(timer);
        this.#senders.delete(letIn);
        resolve(isThere);
      };
      const letIn = () => settle(true);
      const timer = setTimeout(() => settle(this.delay() <= this.#maxDelay), timeout);
      this.#senders.add(letIn);
    });
  }
}
