import { sqlState } from "../connection/database-errors.ts";
import type { Database, Transaction } from "../connection/sql-session.ts";
import type { TransactionMode } from "../connection/transaction-mode.ts";
import { VisibilityUnavailableError } from "./visibility.ts";

// Both end with the transaction, so that the next user of the connection, also behind a pooler, has neither.
const BECOME = "SELECT set_config('role', 'synap_reader', true), set_config('synap.visible_to', $1, true)";

/** SQLSTATEs of a role that doesn't exist, and of a right that is missing. */
const ROLE_MISSING: ReadonlySet<string> = new Set(["22023", "42501"]);

/** Runs a statement of a transaction as the reader. */
export type AsReader = <T>(statement: (transaction: Transaction) => Promise<T>) => Promise<T>;

/**
 * Runs work in a reading transaction whose statements run as the role `synap_reader`, with the given value in `synap.visible_to`. The
 * role may read the views of what that value owns, and no table.
 *
 * @throws VisibilityUnavailableError when the session can't become the reader
 */
export function readAsReader<T>(
  database: Pick<Database, "reads" | "capabilities">,
  value: string,
  work: (asReader: AsReader) => Promise<T>,
  mode?: TransactionMode,
): Promise<T> {
  return database.reads.transaction((own) => {
    let begun: Promise<unknown> | undefined;
    return work(async (statement) => {
      begun ??= becomeReader(database, own, value);
      // Sent together: the second runs only if the first succeeded.
      const [, answer] = await Promise.all([begun, statement(own)]);
      return answer;
    });
  }, mode);
}

/**
 * Makes what follows in a transaction run as the role `synap_reader`, with the given value in `synap.visible_to`.
 *
 * @throws VisibilityUnavailableError when the session can't become the reader
 */
export async function becomeReader(
  database: Pick<Database, "capabilities">,
  transaction: Transaction,
  value: string,
): Promise<void> {
  await transaction.query(BECOME, [value]).catch((error: unknown) => {
    throw isReaderMissing(error) ? readerMissing(database, error) : error;
  });
}

/** True for the error of a statement for which the reader, or one of its rights, is missing. */
export function isReaderMissing(error: unknown): boolean {
  return !(error instanceof VisibilityUnavailableError) && ROLE_MISSING.has(sqlState(error) ?? "");
}

/** The error that says what an administrator has to run. */
export function readerMissing(
  { capabilities }: Pick<Database, "capabilities">,
  cause: unknown,
): VisibilityUnavailableError {
  return new VisibilityUnavailableError(Number.parseInt(capabilities.postgresVersion, 10) >= 16, { cause });
}
