import { EventValidationError } from "@synap/types";
import { appendAtomically } from "../append/append-events.ts";
import {
  type AppendHook,
  appendAllNew,
  CONFLICT_ATTEMPTS,
  isHooked,
  NotAllNewError,
  pauseBeforeRetry,
  runHook,
} from "../append/append-in-transaction.ts";
import { type AppendedEvent, readAppendRow } from "../append/append-outcome.ts";
import { isConflict, isDataError, sqlState } from "../connection/database-errors.ts";
import type { Database, SqlSession, Transaction } from "../connection/sql-session.ts";
import { readRefusal } from "./database-refusal.ts";
import { readLockTimeout } from "./locked-streams.ts";
import type { PreparedAppend } from "./prepare-append.ts";
import type { StreamAppend, StreamAppendResult } from "./stream-append.ts";
import { describeStream, type Expectation } from "./stream-name.ts";

/**
 * Appends to streams as if all events were new and every stream as expected, which is nearly always so. The readers
 * are not woken.
 * @throws NotAllNewError when it isn't so; then nothing is stored, and `appendToStreams` says why, or that the same
 *   append was made before.
 */
export async function appendNewToStreams(
  database: Database,
  { events, expectations }: PreparedAppend,
  hook: AppendHook | undefined,
  lockTimeout: number | undefined,
): Promise<AppendedEvent[]> {
  const written = new Set(events.map(describeStream));
  const isOnlyWatched = (each: Expectation) => !written.has(describeStream(each));
  // A stream that is only watched is locked as well, which is for the other function to do.
  if (expectations.some(isOnlyWatched)) throw new NotAllNewError("a stream is watched that isn't written");
  return appendAllNew(database, events, hook, expectations, lockTimeout);
}

/**
 * Appends to streams, all or nothing, in one call of the SQL function. Conflicts with other transactions that only
 * waiting decides are tried again.
 * @param lockTimeout longest time to wait for a lock, in milliseconds; a transaction of the caller keeps its own
 */
export async function appendToStreams(
  database: Database,
  prepared: PreparedAppend,
  transaction: Transaction | undefined,
  hook: AppendHook | undefined,
  lockTimeout?: number,
): Promise<AppendedEvent[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (transaction !== undefined) {
        return await transaction.savepoint((savepoint) => appendWithHook(savepoint, prepared, hook));
      }
      // One statement is a transaction, and one round trip.
      if (!isHooked(prepared.events, hook)) return await appendOnce(database.writes, prepared, lockTimeout);
      return await database.transaction((own) => appendWithHook(own, prepared, hook, lockTimeout));
    } catch (error) {
      if (!isConflict(error) || attempt === CONFLICT_ATTEMPTS) throw readRefusal(error);
      await pauseBeforeRetry(attempt);
    }
  }
}

/** The outcomes, stream by stream. */
export function collectResults(
  appends: readonly StreamAppend[],
  appended: readonly AppendedEvent[],
): StreamAppendResult[] {
  let start = 0;
  return appends.map(({ stream, events }) => {
    const own = appended.slice(start, start + events.length).map(({ outcome }) => {
      if (outcome.status === "rejected") throw new Error(`The append of ${outcome.id} was rejected in part.`);
      const { id, position, streamVersion } = outcome;
      return { id, position, streamVersion, duplicate: outcome.status === "duplicate" };
    });
    start += events.length;
    const last = own.reduce((latest, each) => (each.streamVersion > latest.streamVersion ? each : latest));
    return { stream, streamVersion: last.streamVersion, position: last.position, events: own };
  });
}

async function appendWithHook(
  transaction: Transaction,
  prepared: PreparedAppend,
  hook: AppendHook | undefined,
  lockTimeout?: number,
): Promise<AppendedEvent[]> {
  const appended = await appendOnce(transaction, prepared, lockTimeout);
  await runHook(transaction, prepared.events, appended, hook);
  return appended;
}

async function appendOnce(
  session: SqlSession,
  { events, expectations }: PreparedAppend,
  lockTimeout?: number,
): Promise<AppendedEvent[]> {
  try {
    const rows = await appendAtomically(session, events, expectations, lockTimeout);
    return events.map((event, index) => readAppendRow(event, rows[index]));
  } catch (error) {
    if (!isDataError(error)) throw readLockTimeout(error);
    const message = error instanceof Error ? error.message : String(error);
    const reason = `the database refused it (SQLSTATE ${sqlState(error) ?? "unknown"}): ${message}`;
    throw new EventValidationError([{ path: "events", code: "refused-by-database", reason }], {
      cause: error,
    });
  }
}
