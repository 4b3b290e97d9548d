import type { FreeSlots } from "../queue/due-jobs.ts";
import type { FunctionConfig } from "../registration/function-config.ts";

/** Limit of a function that sets none, as on the Inngest server. */
const DEFAULT_LIMIT = 1_000;

/** Concurrency limits: counts the calls in flight of each function. A sleeping run holds no slot. */
export class CallSlots {
  readonly #inFlight = new Map<string, number>();

  /** Returns the number of calls that a function may start now; undefined when none. */
  free({ id, concurrency = DEFAULT_LIMIT }: FunctionConfig): FreeSlots | undefined {
    const slots = Math.min(DEFAULT_LIMIT, concurrency) - this.#count(id);
    return slots > 0 ? { id, slots } : undefined;
  }

  /**
   * Acquires a slot.
   *
   * @returns a function that releases it, or undefined when the limit is reached
   */
  acquire(config: FunctionConfig): (() => void) | undefined {
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
