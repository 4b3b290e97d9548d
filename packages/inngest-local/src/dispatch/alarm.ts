/** A timer is never set for longer: the clock may be changed meanwhile, and Node's timers have an end. */
const LONGEST = 60_000;

/** One timer for the earliest of the moments it was told. */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** Rings at `at` (milliseconds since 1970), or earlier if it was told an earlier moment. */
  set(at: number): void {
    if (at >= this.#at) return;
    this.#at = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        this.#at = Infinity;
        this.#ring();
      },
      Math.min(Math.max(at - Date.now(), 0), LONGEST),
    );
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }
}
