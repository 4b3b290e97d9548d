import {
  checkTimestampWindow,
  type EventCatalogue,
  type EventIssue,
  type StoredEvent,
  type SynapEvent,
} from "@synap/types";
import {
  type AppendHook,
  appendAll,
  appendAllCarefully,
  CONFLICT_ATTEMPTS,
  pauseBeforeRetry,
  RefusedAppendError,
} from "./append/append-in-transaction.ts";
import { type AppendedEvent, type AppendOutcome, rejected } from "./append/append-outcome.ts";
import { type DuplicateCandidate, type FirstEvent, findDuplicates } from "./append/find-duplicates.ts";
import { isConflict } from "./connection/database-errors.ts";
import type { Database, Transaction } from "./connection/sql-session.ts";
import { getEventById } from "./reading/get-event-by-id.ts";
import { type EventFilter, type EventPage, type PageRequest, queryEvents } from "./reading/query-events.ts";
import { type ReadAllPage, type ReadAllRequest, readAll } from "./reading/read-all.ts";
import { appendToStreams, collectResults } from "./streams/append-to-streams.ts";
import { closeStream } from "./streams/close-stream.ts";
import { getStream } from "./streams/get-stream.ts";
import { prepareAppend } from "./streams/prepare-append.ts";
import { readStream } from "./streams/read-stream.ts";
import type {
  StreamAppend,
  StreamAppendOptions,
  StreamAppendResult,
  StreamInfo,
  StreamRead,
  StreamsAppendOptions,
} from "./streams/stream-append.ts";
import type { ExpectedVersion, StreamEventInput, StreamName } from "./streams/stream-name.ts";
import { subscribeToAll } from "./subscriptions/subscribe-to-all.ts";
import type { EventBatch, SubscriptionRequest } from "./subscriptions/subscription.ts";

export interface EventStoreOptions {
  readonly database: Database;
  /** What events are checked against at the store's door. */
  readonly catalogue: EventCatalogue;
  /** Runs in the append's transaction with the events it has stored, up to 1,024 at a time, in order. */
  readonly onAppend?: AppendHook | undefined;
  /** How old a live event may be, in milliseconds. Default 7 days. */
  readonly lateness?: number | undefined;
  /** How far ahead of the clock a live event may be, in milliseconds. Default 5 minutes. */
  readonly ahead?: number | undefined;
  /** Default: the system's. */
  readonly clock?: (() => Date) | undefined;
}

export interface AppendOptions {
  /**
   * "live" (default) refuses events whose timestamp is far from now, because each strange day would become a chunk of
   * its own; "backfill" takes any time.
   */
  readonly timestamps?: "live" | "backfill" | undefined;
  /** Append inside this transaction: stored if and when it commits. Without it the call is a transaction of its own. */
  readonly transaction?: Transaction | undefined;
}

/** The events of everything that ever happened: appended once, never changed. See docs/store.md for the guarantees. */
export interface EventStore {
  /** Appends one event. See `appendBatch`. */
  append(event: SynapEvent, options?: AppendOptions): Promise<AppendOutcome>;
  /**
   * Appends events in order, any number of them, in one transaction, and answers one outcome for each, in the same
   * order. Sending them again is harmless. A bad event is rejected alone and never thrown.
   * @throws DatabaseUnavailableError, or what `onAppend` throws; then nothing is stored.
   */
  appendBatch(events: readonly SynapEvent[], options?: AppendOptions): Promise<AppendOutcome[]>;
  /** The event with this id; undefined when there is none, or the id isn't a UUID. */
  getById(id: string): Promise<StoredEvent | undefined>;
  /**
   * One page of the events that match, by time, with cursors to the pages before and after.
   * @throws InvalidCursorError when the cursor belongs to another filter or order.
   */
  query(filter: EventFilter, page: PageRequest): Promise<EventPage>;
  /** The events after a position, in the order of positions, none skipped and none repeated. */
  readAll(request: ReadAllRequest): Promise<ReadAllPage>;
  /** Which of these are stored already, by id or idempotency key: their ids, with the id and position of the first. */
  findDuplicates(events: readonly DuplicateCandidate[]): Promise<Map<string, FirstEvent>>;
  /**
   * Appends events to one stream if it is at the expected version, all or nothing. Sending the same events again, with
   * the same ids, answers what the first time answered, for ever and whatever the version is by then.
   * @throws OptimisticLockError, StreamClosedError, EventIdConflictError, EventValidationError; then nothing is stored.
   * @throws RangeError for no events, more than 1,024, or an expected version that is none.
   */
  appendToStream(
    stream: StreamName,
    expectedVersion: ExpectedVersion,
    events: readonly StreamEventInput[],
    options?: StreamAppendOptions,
  ): Promise<StreamAppendResult>;
  /**
   * Appends to several streams at once, if they, and those of `checks`, are all as expected: everything or nothing.
   * Positions follow the order given.
   * @throws as `appendToStream`, and RangeError for a stream that is named twice.
   */
  appendToStreams(
    appends: readonly StreamAppend[],
    options?: StreamsAppendOptions,
  ): Promise<StreamAppendResult[]>;
  /**
   * Closes a stream at the expected version: it takes no more events. Closing it again changes nothing.
   * @throws StreamNotFoundError, OptimisticLockError
   */
  closeStream(
    stream: StreamName,
    expectedVersion: ExpectedVersion,
    options?: { readonly transaction?: Transaction | undefined },
  ): Promise<void>;
  /** The stream's version, and whether it is closed; undefined when it has no events. */
  getStream(
    stream: StreamName,
    options?: { readonly transaction?: Transaction | undefined },
  ): Promise<StreamInfo | undefined>;
  /**
   * The events of a stream, in the order of versions or backwards, fetched page by page as the loop asks for them.
   * Nothing for a stream that isn't there.
   * @throws RangeError for a page size or a version out of bounds, in the loop.
   */
  readStream(stream: StreamName, read?: StreamRead): AsyncIterable<StoredEvent>;
  /**
   * Every event after a position, then each that is stored, batch by batch as the loop asks for them: none skipped,
   * none repeated. Save `position` with what you did, and subscribe from there after a restart.
   * @throws RangeError for a request out of bounds; in the loop, DatabaseUnavailableError: subscribe again from the
   *   last position.
   */
  subscribeToAll(request: SubscriptionRequest): AsyncIterable<EventBatch>;
}

/** The event store on a migrated database. */
export function createEventStore(options: EventStoreOptions): EventStore {
  const { database, catalogue, onAppend } = options;
  const clock = options.clock ?? (() => new Date());

  async function appendBatch(
    events: readonly SynapEvent[],
    how: AppendOptions = {},
  ): Promise<AppendOutcome[]> {
    const checked = events.map((event) => check(event, how));
    const sound = checked.flatMap((each) => (each.ok ? [each.event] : []));
    const appended = sound.length === 0 ? [] : await appendSound(sound, how.transaction);
    let next = 0;
    return checked.map((each) => {
      if (!each.ok) return rejected(each.id, ...each.issues);
      const outcome = appended[next]?.outcome;
      next += 1;
      if (outcome === undefined) throw new Error(`The append of ${each.event.id} has no outcome.`);
      return outcome;
    });
  }

  function check(event: SynapEvent, how: AppendOptions): Checked {
    const reading = catalogue.safeParseSynapEvent(event);
    if (!reading.ok) return { ok: false, id: idOf(event), issues: reading.issues };
    if (how.timestamps === "backfill") return reading;
    const { lateness, ahead } = options;
    const issue = checkTimestampWindow(reading.event, { now: clock(), lateness, ahead });
    return issue === undefined ? reading : { ok: false, id: reading.event.id, issues: [issue] };
  }

  async function appendSound(
    events: readonly SynapEvent[],
    transaction: Transaction | undefined,
  ): Promise<AppendedEvent[]> {
    if (transaction !== undefined) return appendAllCarefully(transaction, events, onAppend);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await appendOwn(events);
      } catch (error) {
        if (!isConflict(error) || attempt === CONFLICT_ATTEMPTS) throw error;
        await pauseBeforeRetry(attempt);
      }
    }
  }

  /** Nearly every batch is sound all through, so savepoints are only paid for when one turned out not to be. */
  async function appendOwn(events: readonly SynapEvent[]): Promise<AppendedEvent[]> {
    try {
      return await database.transaction((own) => appendAll(own, events, onAppend));
    } catch (error) {
      if (!(error instanceof RefusedAppendError)) throw error;
      return database.transaction((own) => appendAllCarefully(own, events, onAppend));
    }
  }

  async function appendStreams(
    appends: readonly StreamAppend[],
    how: StreamsAppendOptions = {},
  ): Promise<StreamAppendResult[]> {
    const { lateness, ahead } = options;
    const { timestamps } = how;
    const prepared = prepareAppend(appends, how.checks ?? [], {
      catalogue,
      clock,
      lateness,
      ahead,
      timestamps,
    });
    return collectResults(appends, await appendToStreams(database, prepared, how.transaction, onAppend));
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
    subscribeToAll: (request) =>
      subscribeToAll(
        {
          readAll: (next) => readAll(database, next),
          listen: (onAppend) => database.listen("synap_appends", onAppend),
        },
        request,
      ),
  };
}

type Checked =
  | { readonly ok: true; readonly event: SynapEvent }
  | { readonly ok: false; readonly id: string; readonly issues: readonly EventIssue[] };

/** Events may come from JavaScript, or from an old queue: even the id may be missing. */
function idOf(event: unknown): string {
  const id = typeof event === "object" && event !== null && "id" in event ? event.id : undefined;
  return typeof id === "string" ? id : "";
}
