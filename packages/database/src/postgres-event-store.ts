import type { EventCatalogue } from "@synap/types";
import {
  type AppendHook,
  appendBatchIn,
  appendBatch as appendEach,
  appendToStreams,
} from "./append/append-events.ts";
import { appendMethods } from "./append/append-methods.ts";
import type { AppendedEvent } from "./append/append-outcome.ts";
import { findDuplicates } from "./append/find-originals.ts";
import type { Database } from "./connection/sql-session.ts";
import type { EventStore } from "./event-store.ts";
import { getEventById } from "./reading/get-event-by-id.ts";
import { queryEvents } from "./reading/query-events.ts";
import { readAll } from "./reading/read-all.ts";
import { closeStream } from "./streams/close-stream.ts";
import { getStream, readStream, readStreamPage } from "./streams/read-stream.ts";
import { nameLockedStreams } from "./streams/stream-errors.ts";
import { APPENDS_CHANNEL, createAppendSignal } from "./subscriptions/append-signal.ts";
import { subscribeToAll } from "./subscriptions/subscribe-to-all.ts";

export interface EventStoreOptions {
  readonly database: Database;
  /** The catalogue against which events are validated. */
  readonly catalogue: EventCatalogue;
  /** A hook in the transactions of appends. */
  readonly onAppend?: AppendHook | undefined;
  /** Maximum age of a live event, in milliseconds. Default 7 days. */
  readonly lateness?: number | undefined;
  /** Maximum lead of a live event over the clock, in milliseconds. Default 5 minutes. */
  readonly ahead?: number | undefined;
  /** The clock. Default: the system's. */
  readonly clock?: (() => Date) | undefined;
}

/** Creates the event store on a migrated database. */
export function createEventStore({
  database,
  catalogue,
  onAppend,
  lateness,
  ahead,
  clock = () => new Date(),
}: EventStoreOptions): EventStore {
  const signalAppend = createAppendSignal(database);
  const signalIfStored = (appended: readonly AppendedEvent[]) => {
    if (appended.some(({ outcome }) => outcome.status === "stored")) signalAppend();
  };

  const appends = appendMethods(
    { catalogue, clock, lateness, ahead },
    {
      async appendEvents(events, { transaction, lockTimeout }) {
        try {
          if (transaction !== undefined) return await appendBatchIn(transaction, events, onAppend);
          const append = (limit: number | undefined) => appendEach(database, events, onAppend, limit);
          const appended = await (lockTimeout !== undefined && database.engine === "server"
            ? append(lockTimeout)
            : database.lockWaits.run(append));
          signalIfStored(appended);
          return appended;
        } catch (error) {
          throw await nameLockedStreams(error, transaction ?? database, events);
        }
      },
      async appendPrepared(prepared, { transaction }) {
        const append = (lockTimeout?: number) =>
          appendToStreams(database, prepared, onAppend, { transaction, lockTimeout });
        try {
          const appended = await (transaction === undefined ? database.lockWaits.run(append) : append());
          if (transaction === undefined) signalIfStored(appended);
          return appended;
        } catch (error) {
          throw await nameLockedStreams(error, transaction ?? database, prepared.expectations);
        }
      },
    },
  );

  return {
    ...appends,
    getById: (id) => getEventById(database, id),
    query: (filter, page) => queryEvents(database, filter, page),
    readAll: (request) => readAll(database, request),
    findDuplicates: (events) => findDuplicates(database, events),
    closeStream: (stream, expected, options) => closeStream(database, stream, expected, options?.transaction),
    getStream: (stream, options) => getStream(options?.transaction ?? database, stream),
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
