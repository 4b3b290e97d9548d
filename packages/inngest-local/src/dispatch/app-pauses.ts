const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 2_000;

/**
 * Backoff for apps that refused the connection, so that the call did not start. Their calls stay queued, with the
 * attempts they had.
 */
export class AppPauses {
  readonly #pauses = new Map<string, { until: number; length: number }>();

  /** @returns the time at which the app may be called again, by the clock of `now` */
  refused(url: string, now: number): number {
    const origin = new URL(url).origin;
    const pause = this.#pauses.get(origin);
    // Calls in flight together are refused together, which counts as one refusal.
    if (pause !== undefined && pause.until > now) return pause.until;
    const length = Math.min((pause?.length ?? FIRST_PAUSE_MS / 2) * 2, MAX_PAUSE_MS);
    this.#pauses.set(origin, { until: now + length, length });
    return now + length;
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
