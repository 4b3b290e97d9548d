import type { EventCatalogue, SynapEvent } from "@synap/types";
import {
  type AppendHook,
  appendAllCarefully,
  appendAllNew,
  CONFLICT_ATTEMPTS,
  NotAllNewError,
  pauseBeforeRetry,
} from "./append/append-in-transaction.ts";
import { type AppendedEvent, type AppendOutcome, rejected } from "./append/append-outcome.ts";
import { checkEvent } from "./append/check-event.ts";
import { findDuplicates } from "./append/find-duplicates.ts";
import { isConflict } from "./connection/database-errors.ts";
import { limitLockWaits } from "./connection/lock-timeout.ts";
import type { Database, Transaction } from "./connection/sql-session.ts";
import type { AppendOptions, EventStore } from "./event-store.ts";
import { getEventById } from "./reading/get-event-by-id.ts";
import { queryEvents } from "./reading/query-events.ts";
import { readAll } from "./reading/read-all.ts";
import { appendNewToStreams, appendToStreams, collectResults } from "./streams/append-to-streams.ts";
import { closeStream } from "./streams/close-stream.ts";
import { getStream } from "./streams/get-stream.ts";
import { nameLockedStreams } from "./streams/locked-streams.ts";
import { type PreparedAppend, prepareAppend } from "./streams/prepare-append.ts";
import { readStream, readStreamPage } from "./streams/read-stream.ts";
import type { StreamAppend, StreamAppendResult, StreamsAppendOptions } from "./streams/stream-append.ts";
import { APPENDS_CHANNEL, createAppendSignal } from "./subscriptions/append-signal.ts";
import { subscribeToAll } from "./subscriptions/subscribe-to-all.ts";

export interface EventStoreOptions {
  readonly database: Database;
  /** What events are checked against at the store's door. */
  readonly catalogue: EventCatalogue;
  /** Runs in the transactions of appends. */
  readonly onAppend?: AppendHook | undefined;
  /** How old a live event may be, in milliseconds. Default 7 days. */
  readonly lateness?: number | undefined;
  /** How far ahead of the clock a live event may be, in milliseconds. Default 5 minutes. */
  readonly ahead?: number | undefined;
  /** Default: the system's. */
  readonly clock?: (() => Date) | undefined;
}

/** The event store on a migrated database. */
export function createEventStore(options: EventStoreOptions): EventStore {
  const { database, catalogue, onAppend, lateness, ahead } = options;
  const signalAppend = createAppendSignal(database);
  const clock = options.clock ?? (() => new Date());

  async function appendBatch(
    events: readonly SynapEvent[],
    how: AppendOptions = {},
  ): Promise<AppendOutcome[]> {
    const check = { catalogue, clock, lateness, ahead, timestamps: how.timestamps };
    const checked = events.map((event) => checkEvent(event, check));
    const sound = checked.flatMap((each) => (each.ok ? [each.event] : []));
    const appended = sound.length === 0 ? [] : await appendSound(sound, how);
    let next = 0;
    return checked.map((each) => {
      if (!each.ok) return rejected(each.id, ...each.issues);
      const outcome = appended[next]?.outcome;
      next += 1;
      if (outcome === undefined) throw new Error(`The append of ${each.event.id} has no outcome.`);
      return outcome;
    });
  }

  async function appendSound(
    events: readonly SynapEvent[],
    { transaction, lockTimeout }: AppendOptions,
  ): Promise<AppendedEvent[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (transaction !== undefined) return await appendAllCarefully(transaction, events, onAppend);
        if (lockTimeout !== undefined && database.engine === "server")
          return await appendOwn(events, lockTimeout);
        return await database.lockWaits.run((limit) => appendOwn(events, limit));
      } catch (error) {
        // In a transaction of the caller, conflicts were tried again from the savepoint.
        if (transaction !== undefined || !isConflict(error) || attempt === CONFLICT_ATTEMPTS)
          throw await nameLockedStreams(error, transaction ?? database, events);
        await pauseBeforeRetry(attempt);
      }
    }
  }

  /** Nearly every batch is new and sound all through, so the rest is only paid for when one turned out not to be. */
  async function appendOwn(
    events: readonly SynapEvent[],
    lockTimeout: number | undefined,
  ): Promise<AppendedEvent[]> {
    try {
      const appended = await appendAllNew(database, events, onAppend, [], lockTimeout);
      signalAppend();
      return appended;
    } catch (error) {
      if (!(error instanceof NotAllNewError)) throw error;
      return database.transaction(async (own) => {
        if (lockTimeout !== undefined) await limitLockWaits(own, lockTimeout);
        return appendAllCarefully(own, events, onAppend);
      });
    }
  }

  async function appendStreams(
    appends: readonly StreamAppend[],
    how: StreamsAppendOptions = {},
  ): Promise<StreamAppendResult[]> {
    const { timestamps } = how;
    const prepared = prepareAppend(appends, how.checks ?? [], {
      catalogue,
      clock,
      lateness,
      ahead,
      timestamps,
    });
    return collectResults(appends, await appendPrepared(prepared, how.transaction));
  }

  async function appendPrepared(
    prepared: PreparedAppend,
    transaction: Transaction | undefined,
  ): Promise<AppendedEvent[]> {
    try {
      if (transaction !== undefined) return await appendToStreams(database, prepared, transaction, onAppend);
      return await database.lockWaits.run((lockTimeout) => appendPreparedOwn(prepared, lockTimeout));
    } catch (error) {
      throw await nameLockedStreams(error, transaction ?? database, prepared.expectations);
    }
  }

  async function appendPreparedOwn(
    prepared: PreparedAppend,
    lockTimeout: number | undefined,
  ): Promise<AppendedEvent[]> {
    try {
      const appended = await appendNewToStreams(database, prepared, onAppend, lockTimeout);
      signalAppend();
      return appended;
    } catch (error) {
      if (!(error instanceof NotAllNewError || isConflict(error))) throw error;
      return appendToStreams(database, prepared, undefined, onAppend, lockTimeout);
    }
  }

  return {
    append: async (event, how) => {
      const [outcome] = await appendBatch([event], how);
      if (outcome === undefined) throw new Error(`The append of ${event.id} has no outcome.`);
      return outcome;
    },
    appendBatch,
    getById: (id) => getEventById(database, id),
    query: (filter, page) => queryEvents(database, filter, page),
    readAll: (request) => readAll(database, request),
    findDuplicates: (events) => findDuplicates(database, events),
    appendToStream: async (stream, expectedVersion, events, how) => {
      const [result] = await appendStreams([{ stream, expectedVersion, events }], how);
      if (result === undefined) throw new Error("The append has no result.");
      return result;
    },
    appendToStreams: appendStreams,
    closeStream: (stream, expected, how) => closeStream(database, stream, expected, how?.transaction),
    getStream: (stream, how) => getStream(how?.transaction ?? database, stream),
    readStream: (stream, read = {}) => readStream(database, stream, read),
    readStreamPage: (stream, read = {}) => readStreamPage(database, stream, read),
    subscribeToAll: (request) =>
      subscribeToAll(
        {
          readAll: (next) => readAll(database, next),
          listen: (onAppend) => database.listen(APPENDS_CHANNEL, onAppend),
        },
        request,
      ),
  };
}
