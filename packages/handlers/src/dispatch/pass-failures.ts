import type { SqlSession, Transaction } from "@synap/database";
import type { HandlerPassError } from "./handler-errors.ts";

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
