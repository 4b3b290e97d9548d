const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 2_000;

/**
 * Apps that refused the connection, so certainly didn't begin any work. They are left alone for a short while, and the
 * calls stay queued with the attempts they had.
 */
export class AppPauses {
  readonly #pauses = new Map<string, { until: number; length: number }>();

  /** @returns when the app may be called again, by the clock of `now` */
  refused(url: string, now: number): number {
    const origin = new URL(url).origin;
    const pause = this.#pauses.get(origin);
    // Calls that were under way together are refused together: that is one refusal.
    if (pause !== undefined && pause.until > now) return pause.until;
    const length = Math.min((pause?.length ?? FIRST_PAUSE / 2) * 2, LONGEST_PAUSE);
    this.#pauses.set(origin, { until: now + length, length });
    return now + length;
  }

  answered(url: string): void {
    if (this.#pauses.size > 0) this.#pauses.delete(new URL(url).origin);
  }

  /** Whether the app has been refusing, up to now. */
  has(url: string): boolean {
    return this.#pauses.has(new URL(url).origin);
  }

  isPaused(url: string, now: number): boolean {
    return this.#pauses.size > 0 && (this.#pauses.get(new URL(url).origin)?.until ?? 0) > now;
  }

  /** End of the next pause that is still on, by the clock of `now`. */
  nextEnd(now: number): number | undefined {
    const ends = [...this.#pauses.values()].map(({ until }) => until).filter((until) => until > now);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }
}
