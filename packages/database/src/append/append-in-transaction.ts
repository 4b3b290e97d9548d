import type { StoredEvent, SynapEvent } from "@synap/types";
import { isConflict, isDataError, sqlState } from "../connection/database-errors.ts";
import type { Database, SqlSession, Transaction } from "../connection/sql-session.ts";
import { readLockTimeout } from "../streams/locked-streams.ts";
import type { Expectation } from "../streams/stream-name.ts";
import { appendEvents, MAX_APPEND_EVENTS } from "./append-events.ts";
import { appendNewEvents } from "./append-new-events.ts";
import { type AppendedEvent, readAppendRow, refusedByDatabase, storedEvents } from "./append-outcome.ts";

/** What runs in an append's transaction. */
export interface AppendHook {
  /** Whether it has to do with events of this type. An append of others alone is one statement, without a transaction around it. */
  handles(type: string): boolean;
  /** Is given what was stored, up to 1,024 events at a time, in order, of all types. When it throws, nothing is stored. */
  run(transaction: Transaction, events: readonly StoredEvent[]): Promise<void>;
}

/** What `synap.append_new_events` raises besides what PostgreSQL raises: another version, a closed stream. */
const NOT_AS_USUAL: ReadonlySet<string | undefined> = new Set(["SY001", "SY006"]);

/** Not every event was new and sound, or a stream was not as expected: the caller undoes the append and goes on more carefully. */
export class NotAllNewError extends Error {
  override readonly name = "NotAllNewError";
}

/**
 * Appends any number of events as if all of them were new and sound, which is nearly always so. One lot is one
 * statement, and that is a transaction by itself; anything more is done in one. The readers are not woken.
 * @param expectations of streams that the events belong to; with more than 1,024 events there may be none
 * @param lockTimeout longest time to wait for a lock, in milliseconds, in place of the session's
 * @throws NotAllNewError when they aren't; then nothing is stored.
 */
export function appendAllNew(
  database: Database,
  events: readonly SynapEvent[],
  hook: AppendHook | undefined,
  expectations: readonly Expectation[] = [],
  lockTimeout?: number,
): Promise<AppendedEvent[]> {
  const appendLot = async (session: SqlSession, lot: readonly SynapEvent[]): Promise<AppendedEvent[]> => {
    try {
      return await appendNewEvents(session, lot, expectations, lockTimeout);
    } catch (error) {
      const isUsual = isDataError(error) || NOT_AS_USUAL.has(sqlState(error));
      throw isUsual
        ? new NotAllNewError("not every event was new and sound", { cause: error })
        : readLockTimeout(error);
    }
  };
  if (events.length <= MAX_APPEND_EVENTS && !isHooked(events, hook))
    return appendLot(database.writes, events);
  return database.transaction((own) => appendInLots(own, events, hook, appendLot));
}

/**
 * Appends any number of events inside savepoints, where one that is stored already, or that PostgreSQL refuses, costs
 * no other: a refused lot is halved until the event stands alone. Conflicts with other transactions are tried again
 * from the savepoint.
 */
export function appendAllCarefully(
  transaction: Transaction,
  events: readonly SynapEvent[],
  hook: AppendHook | undefined,
): Promise<AppendedEvent[]> {
  return appendInLots(transaction, events, hook, appendHalving);
}

async function appendInLots(
  transaction: Transaction,
  events: readonly SynapEvent[],
  hook: AppendHook | undefined,
  appendLot: (transaction: Transaction, events: readonly SynapEvent[]) => Promise<AppendedEvent[]>,
): Promise<AppendedEvent[]> {
  const appended: AppendedEvent[] = [];
  for (const slice of slices(events)) {
    const lot = await appendLot(transaction, slice);
    await runHook(transaction, slice, lot, hook);
    appended.push(...lot);
  }
  return appended;
}

async function appendHalving(
  transaction: Transaction,
  events: readonly SynapEvent[],
): Promise<AppendedEvent[]> {
  try {
    return await appendInSavepoint(transaction, events);
  } catch (error) {
    const [only] = events;
    if (!isDataError(error) || only === undefined) throw error;
    if (events.length === 1) return [refusedByDatabase(only, error)];
    const half = Math.ceil(events.length / 2);
    const first = await appendHalving(transaction, events.slice(0, half));
    return [...first, ...(await appendHalving(transaction, events.slice(half)))];
  }
}

async function appendInSavepoint(
  transaction: Transaction,
  events: readonly SynapEvent[],
): Promise<AppendedEvent[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transaction.savepoint((savepoint) => appendOnce(savepoint, events));
    } catch (error) {
      if (!isConflict(error) || attempt === CONFLICT_ATTEMPTS) throw error;
      await pauseBeforeRetry(attempt);
    }
  }
}

async function appendOnce(transaction: Transaction, events: readonly SynapEvent[]): Promise<AppendedEvent[]> {
  const rows = await appendEvents(transaction, events).catch((error: unknown) => {
    throw readLockTimeout(error);
  });
  return events.map((event, index) => readAppendRow(event, rows[index]));
}

/** Whether the hook, if there is one, has to do with any of these events. */
export function isHooked(events: readonly SynapEvent[], hook: AppendHook | undefined): boolean {
  if (hook === undefined) return false;
  const types = new Set(events.map(({ type }) => type));
  return [...types].some((type) => hook.handles(type));
}

/** Gives the hook, if there is one, those events that were stored now, if there are any. */
export async function runHook(
  transaction: Transaction,
  events: readonly SynapEvent[],
  appended: readonly AppendedEvent[],
  hook: AppendHook | undefined,
): Promise<void> {
  if (hook === undefined) return;
  const stored = storedEvents(events, appended);
  if (stored.length > 0) await hook.run(transaction, stored);
}

function* slices(events: readonly SynapEvent[]): Generator<readonly SynapEvent[]> {
  for (let start = 0; start < events.length; start += MAX_APPEND_EVENTS) {
    yield events.slice(start, start + MAX_APPEND_EVENTS);
  }
}

/** How often an append that met another transaction is tried in all. */
export const CONFLICT_ATTEMPTS = 6;

/** A few milliseconds, more each time, by chance: those who met once should not meet again. */
export async function pauseBeforeRetry(attempt: number): Promise<void> {
  await new Promise((done) => setTimeout(done, Math.random() * 10 * 2 ** attempt));
}
