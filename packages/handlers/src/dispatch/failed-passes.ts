import { TransactionEndedError } from "@synap/database";
import { isTimeLimit } from "@synap/database/internal";
import { isTransientFailure, saysTransient } from "./handler-errors.ts";
import type { PassTrace } from "./pass-trace.ts";

interface Failures {
  /** Failed passes in a row. */
  readonly all: number;
  /** How many of the last ones a time limit cut off. */
  readonly cutOff: number;
}

const NONE: Failures = { all: 0, cutOff: 0 };

/** The failed passes in a row of each checkpoint, in this process. */
export class FailedPasses {
  readonly #maxAttempts: number;
  readonly #failures = new Map<string, Failures>();

  constructor(maxAttempts: number) {
    this.#maxAttempts = maxAttempts;
  }

  /** Counts a pass that failed, and answers how many that are in a row. */
  count(checkpoint: string, cause: Error): number {
    const { all, cutOff } = this.#failures.get(checkpoint) ?? NONE;
    this.#failures.set(checkpoint, { all: all + 1, cutOff: isTimeLimit(cause) ? cutOff + 1 : 0 });
    return all + 1;
  }

  forget(checkpoint: string): void {
    this.#failures.delete(checkpoint);
  }

  /** How many of the last passes a time limit cut off. */
  cutOff(checkpoint: string): number {
    return (this.#failures.get(checkpoint) ?? NONE).cutOff;
  }

  /**
   * Whether events may be to blame for a pass that has just failed. One that fails transiently has nobody beside it to go on
   * with. Of a stretch that is handled in the log, nobody has counted the events. Where the transaction was ended, part of
   * the pass may be stored, and another pass would hide that.
   */
  mayBlameEvents(checkpoint: string, cause: Error, { events }: PassTrace, isInLog: boolean): boolean {
    if (cause instanceof TransactionEndedError) return false;
    if (saysTransient(cause)) return events > 1;
    if (!isTimeLimit(cause)) return !isTransientFailure(cause);
    if (events === 0) return isInLog;
    return events > 1 || this.cutOff(checkpoint) + 1 >= this.#maxAttempts;
  }
}
