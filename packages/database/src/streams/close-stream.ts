import type { Database, SqlSession, Transaction } from "../connection/sql-session.ts";
import { readRefusal } from "./database-refusal.ts";
import { StreamNotFoundError } from "./stream-errors.ts";
import { checkExpectedVersion, type ExpectedVersion, type StreamName } from "./stream-name.ts";

const CLOSE = "SELECT synap.close_stream($1, $2, $3::text::jsonb) AS version";

/**
 * Closes a stream at the version that is expected; closing it again changes nothing.
 * @throws StreamNotFoundError, OptimisticLockError
 */
export async function closeStream(
  database: Database,
  stream: StreamName,
  expected: ExpectedVersion,
  transaction: Transaction | undefined,
): Promise<void> {
  const parameters = [
    stream.aggregateType,
    stream.aggregateId,
    JSON.stringify(checkExpectedVersion(expected)),
  ];
  const close = (session: SqlSession) => session.query<{ version: number | null }>(CLOSE, parameters);
  try {
    const [row] = await (transaction === undefined ? close(database) : transaction.savepoint(close));
    if (row === undefined || row.version === null) throw new StreamNotFoundError(stream);
  } catch (error) {
    throw readRefusal(error);
  }
}
