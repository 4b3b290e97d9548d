import type { StoredEvent, SynapEvent } from "@synap/types";
import type { AppendOutcome } from "./append/append-outcome.ts";
import type { DuplicateCandidate, FirstEvent } from "./append/find-originals.ts";
import type {
  StreamAppend,
  StreamAppendOptions,
  StreamAppendResult,
  StreamsAppendOptions,
} from "./append/prepare-append.ts";
import type { Transaction } from "./connection/sql-session.ts";
import type { EventFilter, EventPage, PageRequest } from "./reading/event-page.ts";
import type { ReadAllPage, ReadAllRequest } from "./reading/read-all.ts";
import type { StreamInfo, StreamPage, StreamRead } from "./streams/read-stream.ts";
import type { ExpectedVersion, StreamEventInput, StreamName } from "./streams/stream-name.ts";
import type { EventBatch, SubscriptionRequest } from "./subscriptions/subscription.ts";

export interface AppendOptions {
  /**
   * "live" (default) refuses events whose timestamp is far from now, because each strange day would become a chunk of
   * its own; "backfill" takes any time.
   */
  readonly timestamps?: "live" | "backfill" | undefined;
  /** Append inside this transaction: stored if and when it commits. Without it the call is a transaction of its own. */
  readonly transaction?: Transaction | undefined;
  /**
   * Longest time to wait for a lock, in milliseconds, for a batch that would rather go on without a stream that is
   * locked. Default: the `lockTimeout` of the database. A transaction of the caller keeps its own.
   */
  readonly lockTimeout?: number | undefined;
}

/** The events of everything that ever happened: appended once, never changed. See docs/insides/store.md for the guarantees. */
export interface EventStore {
  /** Appends one event. See `appendBatch`. */
  append(event: SynapEvent, options?: AppendOptions): Promise<AppendOutcome>;
  /**
   * Appends events in order, any number of them, in one transaction, and answers one outcome for each, in the same
   * order. Sending them again is harmless. A bad event is rejected alone and never thrown.
   * @throws StreamLockedError, DatabaseUnavailableError, or what `onAppend` throws; then nothing is stored.
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
   * @throws OptimisticLockError, StreamClosedError, StreamLockedError, EventIdConflictError, EventValidationError; then
   *   nothing is stored.
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
   * @throws StreamNotFoundError, OptimisticLockError, StreamLockedError
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
   * One page of a stream, and with which version the rest begins. Nothing for a stream that isn't there.
   * @throws RangeError for a page size or a version out of bounds.
   */
  readStreamPage(stream: StreamName, read?: StreamRead): Promise<StreamPage>;
  /**
   * Every event after a position, then each that is stored, batch by batch as the loop asks for them: none skipped,
   * none repeated. Save `position` with what you did, and subscribe from there after a restart.
   * @throws RangeError for a request out of bounds; in the loop, DatabaseUnavailableError: subscribe again from the
   *   last position.
   */
  subscribeToAll(request: SubscriptionRequest): AsyncIterable<EventBatch>;
}
