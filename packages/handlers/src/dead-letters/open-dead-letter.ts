import type { DeadLetterStatus, SqlSession, Transaction } from "@synap/database";
import { cleanText } from "@synap/types/internal";
import { DeadLetterNotFoundError, DeadLetterResolvedError } from "./dead-letter-errors.ts";

/** The outcome of a retry or a skip. */
export interface DeadLetterOutcome {
  readonly id: number;
  /** "open": it failed again, and its stream is still held. */
  readonly status: DeadLetterStatus;
  /** The new failure. */
  readonly failure?: { readonly code: string; readonly reason: string };
  /** For an accepted event that had not been stored: its position now, or that it was already stored. */
  readonly resolution?: string;
  /** Number of events behind it that were handled in this call. */
  readonly released: number;
  /** Number of events that still wait: behind the stream's next dead letter, or for the worker, which continues with them. */
  readonly parked: number;
}

/**
 * Locks an open dead letter until the transaction ends.
 *
 * @throws DeadLetterNotFoundError
 * @throws DeadLetterResolvedError when it was resolved concurrently
 */
export async function lockOpen(transaction: Transaction, id: number): Promise<void> {
  const [row] = await transaction.query<{ status: DeadLetterStatus }>(
    "SELECT status FROM synap.dead_letters WHERE id = $1 FOR UPDATE",
    [id],
  );
  if (row === undefined) throw new DeadLetterNotFoundError(id);
  if (row.status !== "open") throw new DeadLetterResolvedError(id, row.status);
}

const FAILED_AGAIN = `
UPDATE synap.dead_letters SET attempts = attempts + 1, last_failed_at = now(), code = $2, reason = $3
 WHERE id = $1 AND status = 'open'`;

/** Records another failed attempt of an open dead letter. */
export async function noteFailure(
  session: SqlSession,
  id: number,
  { code, reason }: { readonly code: string; readonly reason: string },
): Promise<void> {
  await session.query(FAILED_AGAIN, [id, cleanText(code, 128), cleanText(reason, 10_000)]);
}
