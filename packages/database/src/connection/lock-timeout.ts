import type { Transaction } from "./sql-session.ts";

/**
 * SQL for a function call in a FROM clause that first sets the transaction's lock timeout from a parameter, in one round
 * trip. The setting is made before the function is called, because one of the arguments needs it.
 * @param write builds the statement from the SQL before the function's name and that argument
 */
export function withLockTimeout(
  write: (before: string, argument: string) => string,
  argument: string,
  parameter: string,
): string {
  return write(
    `set_config('lock_timeout', ${parameter}, true) AS setting, `,
    `CASE WHEN setting IS NOT NULL THEN ${argument} END`,
  );
}

/** Sets the lock timeout of the rest of a transaction, in milliseconds. */
export async function limitLockWaits(transaction: Transaction, lockTimeout: number): Promise<void> {
  await transaction.query("SELECT set_config('lock_timeout', $1, true)", [String(lockTimeout)]);
}
