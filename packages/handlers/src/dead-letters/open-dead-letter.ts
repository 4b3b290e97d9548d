import type { DeadLetterStatus, SqlSession, Transaction } from "@synap/database";
import { cleanText } from "@synap/types/internal";
import { DeadLetterNotFoundError, DeadLetterResolvedError } from "./dead-letter-errors.ts";

/** What a retry or a skip came to. */
export interface DeadLetterOutcome {
  readonly id: number;
  /** "open": it failed again, and its stream still waits. */
  readonly status: DeadLetterStatus;
  /** Why it failed again. */
  readonly failure?: { readonly code: string; readonly reason: string };
  /** Of an accepted event that was not stored before: where it is now, or that it was stored already. */
  readonly resolution?: string;
  /** How many events that waited behind it were handled in this call. */
  readonly released: number;
  /** How many still wait: behind the next dead letter of the stream, or for the worker, which goes on with them. */
  readonly parked: number;
}

/**
 * Locks an open dead letter until the transaction ends.
 *
 * @throws DeadLetterNotFoundError
 * @throws DeadLetterResolvedError when somebody else was faster
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

/** Adds an attempt that failed to an open dead letter. */
export async function noteFailure(
  session: SqlSession,
  id: number,
  { code, reason }: { readonly code: string; readonly reason: string },
): Promise<void> {
  await session.query(FAILED_AGAIN, [id, cleanText(code, 128), cleanText(reason, 10_000)]);
}
