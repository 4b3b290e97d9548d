import type { SqlSession, Transaction } from "../connection/sql-session.ts";

/** Reads a handler's checkpoint; 0 before its first event. */
export async function readCheckpoint(session: SqlSession, handler: string): Promise<number> {
  const [row] = await session.query<{ position: number }>(
    `SELECT "position" FROM synap.checkpoints WHERE handler = $1`,
    [handler],
  );
  return row?.position ?? 0;
}

const LOCK = `SELECT "position" FROM synap.checkpoints WHERE handler = $1 FOR UPDATE SKIP LOCKED`;

const CREATE = `INSERT INTO synap.checkpoints (handler, "position") VALUES ($1, 0) ON CONFLICT DO NOTHING`;

/**
 * Locks a handler's checkpoint for this transaction and returns its position, or undefined when another worker holds
 * it, without waiting. The lock ends with the transaction, even when its process dies.
 */
export async function lockCheckpoint(transaction: Transaction, handler: string): Promise<number | undefined> {
  const [row] = await transaction.query<{ position: number }>(LOCK, [handler]);
  if (row !== undefined) return row.position;
  const [held] = await transaction.query<{ handler: string }>(
    "SELECT handler FROM synap.checkpoints WHERE handler = $1",
    [handler],
  );
  if (held !== undefined) return undefined;
  await transaction.query(CREATE, [handler]);
  const [created] = await transaction.query<{ position: number }>(LOCK, [handler]);
  return created?.position;
}

const SAVE = `
INSERT INTO synap.checkpoints (handler, "position", updated_at) VALUES ($1, $2, now())
ON CONFLICT (handler) DO UPDATE SET "position" = EXCLUDED."position", updated_at = EXCLUDED.updated_at`;

/** Saves a handler's checkpoint, in the transaction of the handler's writes. */
export async function saveCheckpoint(
  transaction: SqlSession,
  handler: string,
  position: number,
): Promise<void> {
  await transaction.query(SAVE, [handler, position]);
}
