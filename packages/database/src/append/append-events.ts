import { EventValidationError, type StoredEvent, type SynapEvent } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import { type Backoff, pauseAfterConflict } from "../backoff.ts";
import { AppendContentionError, isConflict, isDataError, sqlState } from "../connection/database-errors.ts";
import { limitLockWaits } from "../connection/lock-waits.ts";
import type { Database, SqlSession, Transaction } from "../connection/sql-session.ts";
import type { PreparedAppend } from "./append-methods.ts";
import { type AppendNewOptions, appendNewEvents, MAX_APPEND_EVENTS } from "./append-new-events.ts";
import { findOriginals } from "./find-originals.ts";
import {
  type AppendedEvent,
  collectOutcomes,
  compareVersions,
  type Expectation,
  judgeEvents,
  openExpectations,
  refusedByDatabase,
  rejected,
  requireAll,
  type StoreState,
  storedEvents,
} from "./judge-events.ts";
import { OptimisticLockError, toStreamError } from "./stream-errors.ts";

/** A hook in an append's transaction. */
export interface AppendHook {
  /** True if the hook handles events of this type. An append without such events is one statement without a transaction. */
  handles(type: string): boolean;
  /** Receives the stored events of all types, in order, up to 1,024 at a time. If it throws, nothing is stored. */
  run(transaction: Transaction, events: readonly StoredEvent[]): Promise<void>;
}

/** Runs one attempt in a single statement, a savepoint or a transaction, so that nothing is stored when the work throws. */
type Attempt = (work: (session: SqlSession) => Promise<AppendedEvent[]>) => Promise<AppendedEvent[]>;

/** Options of the first attempt. */
export interface AttemptOptions {
  /** Longest time to wait for a lock, in milliseconds, in place of the session's. */
  readonly lockTimeout?: number | undefined;
  /** Look up first what is stored already: some of it probably is. */
  readonly isRepeated?: boolean | undefined;
}

/** An append of up to 1,024 events. */
interface Slice extends AppendNewOptions, AttemptOptions {
  readonly events: readonly SynapEvent[];
  /** All or nothing if given; otherwise each event has a separate outcome. */
  readonly expectations?: readonly Expectation[] | undefined;
}

/** Some of the events are already stored, or their stream is closed. The append stored nothing. */
class FastPathMissError extends Error {
  override readonly name = "FastPathMissError";
}

/** PostgreSQL can't store the data of one of the events. The append stored nothing. */
class RefusedDataError extends Error {
  override readonly name = "RefusedDataError";
}

/** Number of attempts of an append that conflicts with other transactions. */
const ATTEMPTS = 6;
const BACKOFF: Backoff = { firstMs: 20, maxMs: 1_000 };

/**
 * Appends any number of events, each with a separate outcome, in one transaction. Up to 1,024 are one statement. Does not
 * wake the readers.
 */
export async function appendBatch(
  database: Database,
  events: readonly SynapEvent[],
  hook: AppendHook | undefined,
  { lockTimeout, isRepeated }: AttemptOptions,
): Promise<AppendedEvent[]> {
  try {
    if (events.length <= MAX_APPEND_EVENTS) {
      return await appendSlice(ownAttempt(database, events, hook), { events, lockTimeout, isRepeated });
    }
    return await database.transaction((own) =>
      inSlices(events, (slice) =>
        withHook(hook, own, slice, appendAsNew(own, { events: slice, lockTimeout })),
      ),
    );
  } catch (error) {
    const isMiss = error instanceof FastPathMissError || error instanceof RefusedDataError;
    if (!isMiss && !(events.length > MAX_APPEND_EVENTS && isConflict(error))) throw error;
    return database.transaction(async (own) => {
      if (lockTimeout !== undefined) await limitLockWaits(own, lockTimeout);
      return inSlices(events, (slice) => appendBisecting(own, { events: slice }, hook));
    });
  }
}

/** Like `appendBatch`, inside a transaction of the caller. Wakes the readers when it commits. */
export function appendBatchIn(
  transaction: Transaction,
  events: readonly SynapEvent[],
  hook: AppendHook | undefined,
): Promise<AppendedEvent[]> {
  return inSlices(events, (slice) => appendBisecting(transaction, { events: slice, notifies: true }, hook));
}

/**
 * Appends events to streams, all or nothing, if the streams are at their expected versions. Wakes the readers only in a
 * transaction of the caller, when that commits.
 * @throws EventIdConflictError, StreamClosedError, OptimisticLockError, StreamLockedError, EventValidationError
 */
export async function appendToStreams(
  database: Database,
  { events, expectations }: PreparedAppend,
  hook: AppendHook | undefined,
  {
    transaction,
    lockTimeout,
    isRepeated,
  }: AttemptOptions & { readonly transaction?: Transaction | undefined },
): Promise<AppendedEvent[]> {
  const attempt =
    transaction === undefined
      ? ownAttempt(database, events, hook)
      : savepointAttempt(transaction, events, hook);
  const slice = { events, expectations, lockTimeout, isRepeated, notifies: transaction !== undefined };
  try {
    return await appendSlice(attempt, slice);
  } catch (error) {
    if (!(error instanceof RefusedDataError)) throw error;
    throw new EventValidationError([refusedByDatabase(error.cause, "events")], { cause: error.cause });
  }
}

/**
 * Appends in one statement, assuming that every event is new. If that fails, looks up the stored ones and appends the rest.
 * Nothing is locked in between: what was found stays true, and any other change makes the statement fail, so that the
 * attempt is repeated.
 */
async function appendSlice(attempt: Attempt, slice: Slice): Promise<AppendedEvent[]> {
  for (let number = 1; ; number += 1) {
    try {
      return await attempt((session) =>
        number === 1 && slice.isRepeated !== true ? appendAsNew(session, slice) : appendRest(session, slice),
      );
    } catch (error) {
      if (!(error instanceof FastPathMissError || isConflict(error))) throw error;
      if (number === ATTEMPTS) throw new AppendContentionError(ATTEMPTS, { cause: error });
      if (number > 1 || isConflict(error)) await pauseAfterConflict(number, BACKOFF);
    }
  }
}

async function appendAsNew(session: SqlSession, slice: Slice): Promise<AppendedEvent[]> {
  try {
    return await appendNewEvents(session, slice.events, slice);
  } catch (error) {
    const state = sqlState(error);
    if (state === "23505" || state === "SY006")
      throw new FastPathMissError("an event is already stored, or a stream is closed", { cause: error });
    if (state === "SY001") {
      // A repeated id with different content takes precedence.
      requireAll(slice.events, judgeEvents(slice.events, EMPTY_STORE));
      throw withGivenExpectation(toStreamError(error), slice.expectations ?? []);
    }
    throw toAppendError(error);
  }
}

/** Appends those of the events that are not stored yet. */
async function appendRest(session: SqlSession, slice: Slice): Promise<AppendedEvent[]> {
  const { events, expectations } = slice;
  const state = await findOriginals(session, events, expectations).catch((error: unknown) => {
    throw toAppendError(error);
  });
  const verdicts = judgeEvents(events, state);
  const rest = events.filter((_, index) => verdicts[index]?.status === "stored");
  if (expectations === undefined) {
    const stored = rest.length === 0 ? [] : await appendAsNew(session, { ...slice, events: rest });
    return collectOutcomes(events, verdicts, stored);
  }
  requireAll(events, verdicts);
  const open = openExpectations(expectations, events, verdicts);
  if (rest.length === 0) compareVersions(open, state);
  const stored =
    rest.length === 0 ? [] : await appendAsNew(session, { ...slice, events: rest, expectations: open });
  return collectOutcomes(events, verdicts, stored);
}

/** Appends inside a savepoint. When PostgreSQL refuses the data, bisects the slice to find the event that it refuses. */
async function appendBisecting(
  transaction: Transaction,
  slice: Slice,
  hook: AppendHook | undefined,
): Promise<AppendedEvent[]> {
  const { events } = slice;
  try {
    return await appendSlice(savepointAttempt(transaction, events, hook), slice);
  } catch (error) {
    const [only] = events;
    if (!(error instanceof RefusedDataError) || only === undefined) throw error;
    if (events.length === 1) return [{ outcome: rejected(only.id, refusedByDatabase(error.cause)) }];
    const half = Math.ceil(events.length / 2);
    const first = await appendBisecting(transaction, { ...slice, events: events.slice(0, half) }, hook);
    return [
      ...first,
      ...(await appendBisecting(transaction, { ...slice, events: events.slice(half) }, hook)),
    ];
  }
}

/** Creates an attempt in a single statement, or in a transaction when the hook has to run. */
function ownAttempt(
  database: Database,
  events: readonly SynapEvent[],
  hook: AppendHook | undefined,
): Attempt {
  if (!hookWants(events, hook)) return (work) => work(database.writes);
  return (work) => database.transaction((own) => withHook(hook, own, events, work(own)));
}

function savepointAttempt(
  transaction: Transaction,
  events: readonly SynapEvent[],
  hook: AppendHook | undefined,
): Attempt {
  return (work) => transaction.savepoint((savepoint) => withHook(hook, savepoint, events, work(savepoint)));
}

/** Checks that there is a hook and that it handles any of these events. */
export function hookWants(events: readonly SynapEvent[], hook: AppendHook | undefined): boolean {
  if (hook === undefined) return false;
  const types = new Set(events.map(({ type }) => type));
  return [...types].some((type) => hook.handles(type));
}

/** Awaits an append and runs the hook, if there is one, on the stored events. */
async function withHook(
  hook: AppendHook | undefined,
  transaction: Transaction,
  events: readonly SynapEvent[],
  appending: Promise<AppendedEvent[]>,
): Promise<AppendedEvent[]> {
  const appended = await appending;
  if (hook === undefined) return appended;
  const stored = storedEvents(events, appended);
  if (stored.length > 0) await hook.run(transaction, stored);
  return appended;
}

async function inSlices(
  events: readonly SynapEvent[],
  append: (slice: readonly SynapEvent[]) => Promise<AppendedEvent[]>,
): Promise<AppendedEvent[]> {
  const appended: AppendedEvent[] = [];
  for (let start = 0; start < events.length; start += MAX_APPEND_EVENTS) {
    appended.push(...(await append(events.slice(start, start + MAX_APPEND_EVENTS))));
  }
  return appended;
}

const EMPTY_STORE: StoreState = { originals: [], isClosed: () => false, versionOf: () => 0 };

function toAppendError(error: unknown): unknown {
  if (!isDataError(error)) return toStreamError(error);
  return new RefusedDataError("the database refused an event", { cause: error });
}

/** Restores the caller's expected version in an error, because the database does not distinguish 0 and `no-stream`. */
function withGivenExpectation(error: unknown, expectations: readonly Expectation[]): unknown {
  if (!(error instanceof OptimisticLockError)) return error;
  const { stream, actual, cause } = error;
  const given = expectations.find((each) => streamKey(each) === streamKey(stream));
  return given === undefined ? error : new OptimisticLockError(stream, given.expected, actual, { cause });
}
