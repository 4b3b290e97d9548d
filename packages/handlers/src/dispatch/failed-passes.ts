import { type SqlSession, type Transaction, TransactionEndedError } from "@synap/database";
import { isTimeLimit, sqlState } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import { type HandlerPassError, isMarkedTransient, isTransientFailure } from "../handler/handler-errors.ts";

/** The progress of a pass, for the report of its failure. */
export interface PassTrace {
  /** Number of events read for the handler. */
  events: number;
  /** True once the handler has handled the batch, so that a later failure is one of what follows it in the transaction. */
  handled?: boolean;
  /** The event being handled, if it is handled alone. */
  event?: StoredEvent | undefined;
}

/** Creates an `onAttempt` callback that keeps the event being handled in the trace. */
export function traceInto(trace: PassTrace): (event: StoredEvent | undefined) => void {
  return (event) => {
    trace.event = event;
  };
}

interface Failures {
  /** Number of consecutive failed passes. */
  readonly all: number;
  /** Number of consecutive passes, up to the last one, that ran into a time limit. */
  readonly timedOut: number;
}

/** SQLSTATE read_only_sql_transaction. */
const READ_ONLY = "25006";

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
   * second pass would hide that. If the transaction was found to be read only after the handler, a function of the handler has
   * made it so: the pass began by writing.
   */
  shouldIsolate(
    checkpoint: string,
    cause: Error,
    { events, handled = false }: PassTrace,
    inDatabase: boolean,
  ): boolean {
    if (cause instanceof TransactionEndedError) return false;
    if (handled && sqlState(cause) === READ_ONLY) return true;
    if (isMarkedTransient(cause)) return events > 1;
    if (!isTimeLimit(cause)) return !isTransientFailure(cause);
    if (events === 0) return inDatabase;
    return events > 1 || this.timedOut(checkpoint) + 1 >= this.#maxAttempts;
  }
}

const RECORD = `
INSERT INTO synap.handler_failures AS f
  (handler, attempts, transient, code, reason, event_id, "position", retry_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + $8::float8 * interval '1 millisecond')
ON CONFLICT (handler) DO UPDATE
   SET (attempts, transient, code, reason, event_id, "position", failed_at, retry_at)
     = (EXCLUDED.attempts, EXCLUDED.transient, EXCLUDED.code, EXCLUDED.reason, EXCLUDED.event_id, EXCLUDED."position",
        EXCLUDED.failed_at, EXCLUDED.retry_at)`;

/** Records a failed pass and the time until the next one, for the status. The next pass that commits removes the record. */
export async function recordPassFailure(
  session: SqlSession,
  { checkpoint, attempts, transient, failure, event }: HandlerPassError,
  retryInMs: number,
): Promise<void> {
  await session.query(RECORD, [
    checkpoint,
    attempts,
    transient,
    failure.code,
    failure.reason,
    event?.id ?? null,
    event?.position ?? null,
    retryInMs,
  ]);
}

/** Removes the recorded failure of a checkpoint. */
export async function clearPassFailure(transaction: Transaction, checkpoint: string): Promise<void> {
  await transaction.query("DELETE FROM synap.handler_failures WHERE handler = $1", [checkpoint]);
}
