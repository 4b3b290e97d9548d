import type { ExpectedVersion, StreamName } from "@synap/types";
import { checkExpectedVersion } from "@synap/types/internal";
import { withLockTimeout } from "../connection/lock-waits.ts";
import type { Database, SqlSession, Transaction } from "../connection/sql-session.ts";
import { nameLockedStreams, StreamNotFoundError, toStreamError } from "./stream-errors.ts";

const writeClose = (before: string, type: string) =>
  `SELECT version FROM ${before}synap.close_stream(${type}, $2, $3::text::jsonb) AS version`;

const CLOSE = writeClose("", "$1::text");
const CLOSE_WITH_LOCK_TIMEOUT = withLockTimeout(writeClose, "$1::text", "$4");

/**
 * Closes a stream at the expected version. Idempotent.
 * @throws StreamNotFoundError, OptimisticLockError, StreamLockedError
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
  const close = (session: SqlSession, lockTimeout?: number) =>
    lockTimeout === undefined
      ? session.query<{ version: number | null }>(CLOSE, parameters)
      : session.query<{ version: number | null }>(CLOSE_WITH_LOCK_TIMEOUT, [
          ...parameters,
          String(lockTimeout),
        ]);
  try {
    const [row] = await (transaction === undefined
      ? database.lockWaits.run((lockTimeout) => close(database.writes, lockTimeout))
      : transaction.savepoint((savepoint) => close(savepoint)));
    if (row === undefined || row.version === null) throw new StreamNotFoundError(stream);
  } catch (error) {
    throw await nameLockedStreams(toStreamError(error), transaction ?? database, [stream]);
  }
}
