import { isLockTimeout } from "../connection/database-errors.ts";
import type { SqlSession, Transaction } from "../connection/sql-session.ts";
import { StreamLockedError } from "./stream-errors.ts";
import { describeStream, type StreamName } from "./stream-name.ts";

/** What an append failed with: where a lock was waited for in vain, the StreamLockedError that this means. */
export function readLockTimeout(error: unknown): unknown {
  return isLockTimeout(error) ? new StreamLockedError([], { cause: error }) : error;
}

/**
 * The same error, but a StreamLockedError names the streams that are locked, of those that it may mean.
 * @param session one on which nothing has failed, or a transaction that was taken back to before the append
 */
export async function nameLockedStreams(
  error: unknown,
  session: SqlSession | Transaction,
  streams: readonly StreamName[],
): Promise<unknown> {
  if (!(error instanceof StreamLockedError)) return error;
  const distinct = new Map(
    streams.map(({ aggregateType, aggregateId }) => [
      describeStream({ aggregateType, aggregateId }),
      { aggregateType, aggregateId },
    ]),
  );
  try {
    const locked = await findLocked(session, [...distinct.values()]);
    return new StreamLockedError(locked, { cause: error.cause });
  } catch {
    // What happened is known, only not to which stream.
    return error;
  }
}

const LOCKED = `
SELECT aggregate_type AS "aggregateType", aggregate_id AS "aggregateId"
  FROM synap.locked_streams(
         ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)),
         ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb))
       )`;

/** Which of the streams are locked at this moment. */
async function findLocked(
  session: SqlSession | Transaction,
  streams: readonly StreamName[],
): Promise<readonly StreamName[]> {
  const parameters = [
    JSON.stringify(streams.map(({ aggregateType }) => aggregateType)),
    JSON.stringify(streams.map(({ aggregateId }) => aggregateId)),
  ];
  const look = (on: SqlSession) => on.query<StreamName>(LOCKED, parameters);
  return "savepoint" in session ? session.savepoint(look) : look(session);
}
