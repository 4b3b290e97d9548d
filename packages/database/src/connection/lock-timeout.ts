import type { Transaction } from "./sql-session.ts";

/**
 * A call of a function in a FROM clause, whose transaction waits for a lock no longer than a parameter says, in one round
 * trip. The setting is made before the function is called, because one of the arguments needs it.
 * @param write makes the statement of what comes before the function's name, and that argument
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

/** Lets the rest of a transaction wait for a lock no longer than so many milliseconds. */
export async function limitLockWaits(transaction: Transaction, lockTimeout: number): Promise<void> {
  await transaction.query("SELECT set_config('lock_timeout', $1, true)", [String(lockTimeout)]);
}
