import { type Backoff, pauseAfter } from "./backoff.ts";

const BACKOFF: Backoff = { firstMs: 250, maxMs: 2_000 };

/**
 * Backoff for apps that refused the connection, so that the call did not start. Their calls stay queued, with the
 * attempts they had.
 */
export class AppPauses {
  readonly #pauses = new Map<string, { until: number; refusals: number }>();

  /** @returns the time at which the app may be called again, by the clock of `now` */
  refused(url: string, now: number): number {
    const origin = new URL(url).origin;
    const pause = this.#pauses.get(origin);
    // Calls in flight together are refused together, which counts as one refusal.
    if (pause !== undefined && pause.until > now) return pause.until;
    const refusals = (pause?.refusals ?? 0) + 1;
    const until = now + pauseAfter(refusals, BACKOFF);
    this.#pauses.set(origin, { until, refusals });
    return until;
  }

  answered(url: string): void {
    if (this.#pauses.size > 0) this.#pauses.delete(new URL(url).origin);
  }

  /** Checks that the app's last call was refused. */
  has(url: string): boolean {
    return this.#pauses.has(new URL(url).origin);
  }

  isPaused(url: string, now: number): boolean {
    return this.#pauses.size > 0 && (this.#pauses.get(new URL(url).origin)?.until ?? 0) > now;
  }

  /** Returns the end of the pause that ends first, by the clock of `now`. */
  nextEnd(now: number): number | undefined {
    const ends = [...this.#pauses.values()].map(({ until }) => until).filter((until) => until > now);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }
}
