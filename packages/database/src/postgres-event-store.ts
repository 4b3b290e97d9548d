import type { EventCatalogue, SynapEvent } from "@synap/types";
import {
  type AppendHook,
  appendBatch,
  appendBatchIn,
  appendToStreams,
  hookWants,
} from "./append/append-events.ts";
import { appendMethods, type PreparedAppend, type StreamsAppendOptions } from "./append/append-methods.ts";
import { closeStream } from "./append/close-stream.ts";
import { findDuplicates } from "./append/find-originals.ts";
import { asStreamEvents, createGroupedAppends } from "./append/grouped-appends.ts";
import type { AppendedEvent } from "./append/judge-events.ts";
import { nameLockedStreams } from "./append/stream-errors.ts";
import type { Database } from "./connection/sql-session.ts";
import type { AppendOptions, EventStore } from "./event-store.ts";
import { createPersonalData, type PersonalData } from "./personal-data/personal-data.ts";
import { queryEvents } from "./queries/query-events.ts";
import { getEventById } from "./reading/get-event-by-id.ts";
import { readAll } from "./reading/read-all.ts";
import { getStream, readStream, readStreamPage } from "./reading/read-stream.ts";
import { APPENDS_CHANNEL, createAppendSignal } from "./subscriptions/append-signal.ts";
import { subscribeToAll } from "./subscriptions/subscribe-to-all.ts";
import { createLogReader } from "./visibility/log-reader.ts";

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
  /** Seals personal values. Without it events that have any are refused, with a PersonalDataKeysMissingError. */
  readonly personalData?: PersonalData | undefined;
}

/** Calls with small appends at a time. Each more makes them smaller; the embedded engine runs one at a time anyway. */
const CALLS_AT_ONCE = { server: 4, embedded: 1 } as const;

/** Creates the event store on a migrated database. */
export function createEventStore({
  database,
  catalogue,
  onAppend,
  lateness,
  ahead,
  clock = () => new Date(),
  personalData = createPersonalData(catalogue, undefined),
}: EventStoreOptions): EventStore {
  const signalAppend = createAppendSignal(database);
  const signalIfStored = (appended: readonly AppendedEvent[]) => {
    if (appended.some(({ outcome }) => outcome.status === "stored")) signalAppend();
  };

  async function appendEvents(
    events: readonly SynapEvent[],
    { transaction, lockTimeout }: AppendOptions,
    isRepeated = false,
  ): Promise<readonly AppendedEvent[]> {
    try {
      if (transaction !== undefined) return await appendBatchIn(transaction, events, onAppend);
      const append = (limit: number | undefined) =>
        appendBatch(database, events, onAppend, { lockTimeout: limit, isRepeated });
      const appended = await (lockTimeout !== undefined && database.engine === "server"
        ? append(lockTimeout)
        : database.lockWaits.run(append));
      signalIfStored(appended);
      return appended;
    } catch (error) {
      throw await nameLockedStreams(error, transaction ?? database, events);
    }
  }

  async function appendPrepared(
    prepared: PreparedAppend,
    { transaction }: StreamsAppendOptions,
    isRepeated = false,
  ): Promise<readonly AppendedEvent[]> {
    const append = (lockTimeout?: number) =>
      appendToStreams(database, prepared, onAppend, { transaction, lockTimeout, isRepeated });
    try {
      const appended = await (transaction === undefined ? database.lockWaits.run(append) : append());
      if (transaction === undefined) signalIfStored(appended);
      return appended;
    } catch (error) {
      throw await nameLockedStreams(error, transaction ?? database, prepared.expectations);
    }
  }

  const appendGrouped = createGroupedAppends({
    database,
    callsAtOnce: CALLS_AT_ONCE[database.engine],
    lockTimeout: database.lockWaits.short,
    appendAlone: ({ events, expectation }, isRepeated) =>
      expectation === undefined
        ? appendEvents(events, {}, isRepeated)
        : appendPrepared({ events, expectations: [expectation] }, {}, isRepeated),
    onStored: signalAppend,
  });

  /** The append as one of a group; undefined if it needs a transaction or a wait of its own, or is large. */
  function groupable(prepared: PreparedAppend, { transaction, lockTimeout }: AppendOptions) {
    const isOwn =
      transaction !== undefined || lockTimeout !== undefined || hookWants(prepared.events, onAppend);
    return isOwn ? undefined : asStreamEvents(prepared);
  }

  const appends = appendMethods(
    { catalogue, clock, lateness, ahead, personalData },
    {
      findAmended: (id, { transaction }) => getEventById(transaction ?? database, id),
      appendEvents(events, options) {
        // Several have an outcome each, which a group has for each of its appends only.
        const append = events.length === 1 ? groupable({ events, expectations: [] }, options) : undefined;
        return append === undefined ? appendEvents(events, options) : appendGrouped(append);
      },
      appendPrepared(prepared, options) {
        const append = groupable(prepared, options);
        return append === undefined ? appendPrepared(prepared, options) : appendGrouped(append);
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
    visibleTo: (visibility) => createLogReader(database, visibility),
  };
}
