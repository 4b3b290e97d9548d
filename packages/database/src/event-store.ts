import type { ExpectedVersion, StoredEvent, StreamName, SynapEvent } from "@synap/types";
import type {
  StreamAppend,
  StreamAppendOptions,
  StreamAppendResult,
  StreamEventInput,
  StreamsAppendOptions,
} from "./append/append-methods.ts";
import type { DuplicateCandidate, FirstEvent } from "./append/find-originals.ts";
import type { AppendOutcome } from "./append/judge-events.ts";
import type { Transaction } from "./connection/sql-session.ts";
import type { EventFilter } from "./reading/event-filter.ts";
import type { EventPage, PageRequest } from "./reading/event-page.ts";
import type { ReadAllPage, ReadAllRequest } from "./reading/read-all.ts";
import type { StreamInfo, StreamPage, StreamRead } from "./reading/read-stream.ts";
import type { EventBatch, SubscriptionRequest } from "./subscriptions/subscription.ts";
import type { LogReader } from "./visibility/log-reader.ts";
import type { Visibility } from "./visibility/visibility.ts";

export interface AppendOptions {
  /**
   * "live" (default) refuses events whose timestamp is far from now, because each stray day would create a separate
   * chunk; "backfill" accepts any time.
   */
  readonly timestamps?: "live" | "backfill" | undefined;
  /** Append inside this transaction: stored if and when it commits. By default the call opens a transaction. */
  readonly transaction?: Transaction | undefined;
  /**
   * Lock timeout in milliseconds, for a batch that can continue without a stream that is
   * locked. Default: the `lockTimeout` of the database. Ignored in a transaction of the caller.
   */
  readonly lockTimeout?: number | undefined;
}

/** The event store: events are appended once and never changed. */
export interface EventStore {
  /** Appends one event. See `appendBatch`. */
  append(event: SynapEvent, options?: AppendOptions): Promise<AppendOutcome>;
  /**
   * Appends any number of events in order, in one transaction, and returns one outcome for each, in the same
   * order. Idempotent. An invalid event is rejected alone, without throwing.
   * @throws StreamLockedError, DatabaseUnavailableError, or the error of `onAppend`; then nothing is stored.
   */
  appendBatch(events: readonly SynapEvent[], options?: AppendOptions): Promise<AppendOutcome[]>;
  /** Finds the event with this id; undefined when there is none or the id isn't a UUID. */
  getById(id: string): Promise<StoredEvent | undefined>;
  /**
   * Reads one page of the matching events by time, with cursors to the pages before and after.
   * @throws InvalidCursorError when the cursor belongs to another filter or order; EventFilterError for a condition that is
   *   invalid or for which every event would have to be read.
   */
  query(filter: EventFilter, page: PageRequest): Promise<EventPage>;
  /** Reads the events after a position, in the order of positions, without skipping or repeating any. */
  readAll(request: ReadAllRequest): Promise<ReadAllPage>;
  /** Finds the events that are already stored, by id or idempotency key. Maps their ids to the event stored first. */
  findDuplicates(events: readonly DuplicateCandidate[]): Promise<Map<string, FirstEvent>>;
  /**
   * Appends events to one stream if it is at the expected version, all or nothing. Repeating the call with
   * the same ids returns the first result, whatever the stream's version is by then.
   * @throws OptimisticLockError, StreamClosedError, StreamLockedError, EventIdConflictError, EventValidationError; then
   *   nothing is stored.
   * @throws RangeError for no events, more than 1,024, or an invalid expected version.
   */
  appendToStream(
    stream: StreamName,
    expectedVersion: ExpectedVersion,
    events: readonly StreamEventInput[],
    options?: StreamAppendOptions,
  ): Promise<StreamAppendResult>;
  /**
   * Appends to several streams, all or nothing, if these and the streams of `checks` are at their expected versions.
   * Positions follow the order given.
   * @throws as `appendToStream`; RangeError for a stream that is named twice.
   */
  appendToStreams(
    appends: readonly StreamAppend[],
    options?: StreamsAppendOptions,
  ): Promise<StreamAppendResult[]>;
  /**
   * Closes a stream at the expected version: it accepts no more events. Idempotent.
   * @throws StreamNotFoundError, OptimisticLockError, StreamLockedError
   */
  closeStream(
    stream: StreamName,
    expectedVersion: ExpectedVersion,
    options?: { readonly transaction?: Transaction | undefined },
  ): Promise<void>;
  /** Reads the stream's version and closing time; undefined when it has no events. */
  getStream(
    stream: StreamName,
    options?: { readonly transaction?: Transaction | undefined },
  ): Promise<StreamInfo | undefined>;
  /**
   * Iterates over the events of a stream in the order of versions or backwards, fetching page by page.
   * Empty for a stream that doesn't exist.
   * @throws RangeError for a page size or a version out of bounds, on iteration.
   */
  readStream(stream: StreamName, read?: StreamRead): AsyncIterable<StoredEvent>;
  /**
   * Reads one page of a stream and the version with which the rest begins. Empty for a stream that doesn't exist.
   * @throws RangeError for a page size or a version out of bounds.
   */
  readStreamPage(stream: StreamName, read?: StreamRead): Promise<StreamPage>;
  /**
   * Iterates over every event after a position and then over new ones as they are stored, batch by batch, without skipping
   * or repeating any. Save `position` together with your results, and subscribe from there after a restart.
   * @throws RangeError for a request out of bounds; DatabaseUnavailableError on iteration: subscribe again from the
   *   last position.
   */
  subscribeToAll(request: SubscriptionRequest): AsyncIterable<EventBatch>;
  /**
   * Returns the store's reading for a caller who may read these rows only. The database enforces it.
   * @throws RangeError for a visibility without a value
   */
  visibleTo(visibility: Visibility): LogReader;
}
