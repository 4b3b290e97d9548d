import { TransactionEndedError } from "@synap/database";
import { isTimeLimit } from "@synap/database/internal";
import { isMarkedTransient, isTransientFailure } from "./handler-errors.ts";
import type { PassTrace } from "./pass-trace.ts";

interface Failures {
  /** Number of consecutive failed passes. */
  readonly all: number;
  /** Number of consecutive passes, up to the last one, that ran into a time limit. */
  readonly timedOut: number;
}

const NONE: Failures = { all: 0, timedOut: 0 };

/** Counts consecutive failed passes per checkpoint, in this process. */
export class FailedPasses {
  readonly #maxAttempts: number;
  readonly #failures = new Map<string, Failures>();

  constructor(maxAttempts: number) {
    this.#maxAttempts = maxAttempts;
  }

  /** Counts a failed pass, and returns the number of consecutive ones. */
  count(checkpoint: string, cause: Error): number {
    const { all, timedOut } = this.#failures.get(checkpoint) ?? NONE;
    this.#failures.set(checkpoint, { all: all + 1, timedOut: isTimeLimit(cause) ? timedOut + 1 : 0 });
    return all + 1;
  }

  reset(checkpoint: string): void {
    this.#failures.delete(checkpoint);
  }

  /** The number of consecutive passes, up to the last one, that ran into a time limit. */
  timedOut(checkpoint: string): number {
    return (this.#failures.get(checkpoint) ?? NONE).timedOut;
  }

  /**
   * Checks whether isolating the failing event can help after a pass has failed. A transient failure is isolated only if the
   * pass had other events to handle. A pass that ran inside the database does not know its number of events, so a
   * timeout there is isolated as well. If the handler ended the transaction, part of the pass may be stored, and a
   * second pass would hide that.
   */
  shouldIsolate(checkpoint: string, cause: Error, { events }: PassTrace, inDatabase: boolean): boolean {
    if (cause instanceof TransactionEndedError) return false;
    if (isMarkedTransient(cause)) return events > 1;
    if (!isTimeLimit(cause)) return !isTransientFailure(cause);
    if (events === 0) return inDatabase;
    return events > 1 || this.timedOut(checkpoint) + 1 >= this.#maxAttempts;
  }
}
