import type { QueueClock } from "../queue/queue-clock.ts";

/** Longest timeout: timers don't advance while the machine sleeps, and Node limits them. */
const MAX_TIMEOUT_MS = 60_000;

/** Timer for the earliest of the times that were set. */
export class WakeTimer {
  readonly #clock: Pick<QueueClock, "now">;
  readonly #fire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;

  constructor(clock: Pick<QueueClock, "now">, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** Fires at `at` by the queue's clock, or earlier if an earlier time was set. */
  set(at: number): void {
    if (at >= this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#at = Infinity;
        this.#fire();
      },
      Math.min(Math.max(at - this.#clock.now(), 0), MAX_TIMEOUT_MS),
    );
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }
}
