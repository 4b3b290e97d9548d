/**
 * The state of an event for one handler.
 *
 * - `pending`: the handler has not reached it.
 * - `done`: handled. Also an event of an inline handler that is in none of the other states.
 * - `parked`: it waits behind an earlier event of its stream that failed, or was posted by SQL and waits for a worker.
 * - `failed`: the handler failed on it. It is tried again, or waits as a dead letter for a decision.
 * - `skipped`: an operator has decided not to handle it.
 */
export type ProcessingState = "pending" | "done" | "parked" | "failed" | "skipped";

/** The states of an event that is not processed. */
export const UNPROCESSED = ["pending", "parked", "failed"] as const satisfies readonly ProcessingState[];

/** The state of an event for one handler or build of a projection, with what is known about its failure. */
export interface HandlerProcessing {
  /** The name of the handler, or of the build: `tasks-view/2`. */
  readonly handler: string;
  /** The projection, if this is a build of one. */
  readonly projection?: string;
  readonly role?: "live" | "building" | "previous";
  /** Absent for a handler that this process does not have. */
  readonly mode?: "inline" | "async";
  readonly state: ProcessingState;
  /** The reason of the last failure: of this event or, while it is pending, of the handler. */
  readonly processingError?: string;
  /** Kind of failure. */
  readonly code?: string;
  readonly attempts?: number;
  readonly firstFailedAt?: string;
  readonly lastFailedAt?: string;
  /** Time of the next attempt, if the handler tries again by itself. */
  readonly nextAttemptAt?: string;
  /** The dead letter of this event or, while it is parked, the one that it waits behind. */
  readonly deadLetter?: number;
  /** Time, actor and reason of the retry or skip. */
  readonly resolvedAt?: string;
  readonly resolvedBy?: string;
  readonly resolution?: string;
}
