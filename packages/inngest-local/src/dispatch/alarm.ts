import type { QueueClock } from "../queue/queue-clock.ts";

/** A timer is never set for longer: timers stand still while the machine sleeps, and Node's have an end. */
const LONGEST = 60_000;

/** One timer for the earliest of the moments that were set. */
export class Alarm {
  readonly #clock: Pick<QueueClock, "now">;
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;

  constructor(clock: Pick<QueueClock, "now">, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `at` by the queue's clock, or earlier if an earlier moment was set. */
  set(at: number): void {
    if (at >= this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#at = Infinity;
        this.#ring();
      },
      Math.min(Math.max(at - this.#clock.now(), 0), LONGEST),
    );
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }
}
