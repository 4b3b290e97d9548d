import type { FreeSlots } from "../queue/due-jobs.ts";
import type { FunctionConfig } from "../registration/function-config.ts";

/** The Inngest server's own limit for a function that sets none. */
const NO_LIMIT = 1_000;

/** Counts calls in flight, so that no concurrency limit is exceeded. A sleeping run holds no slot. */
export class CallSlots {
  readonly #inFlight = new Map<string, number>();

  /** The calls that a function may take now; undefined when none. */
  free({ id, concurrency = NO_LIMIT }: FunctionConfig): FreeSlots | undefined {
    const slots = Math.min(NO_LIMIT, concurrency) - this.#count(id);
    return slots > 0 ? { id, slots } : undefined;
  }

  /**
   * Takes a slot.
   *
   * @returns a function that gives it back, or undefined when the limit is reached
   */
  take(config: FunctionConfig): (() => void) | undefined {
    if (this.free(config) === undefined) return undefined;
    this.#inFlight.set(config.id, this.#count(config.id) + 1);
    return () => {
      const left = this.#count(config.id) - 1;
      if (left > 0) this.#inFlight.set(config.id, left);
      else this.#inFlight.delete(config.id);
    };
  }

  #count(functionId: string): number {
    return this.#inFlight.get(functionId) ?? 0;
  }
}
