import type { StoredEvent, StreamName } from "@synap/types";
import type { Database } from "../connection/sql-session.ts";
import { queryEvents } from "../queries/query-events.ts";
import type { EventFilter } from "../reading/event-filter.ts";
import type { EventPage, PageRequest } from "../reading/event-page.ts";
import { getEventById } from "../reading/get-event-by-id.ts";
import { type ReadAllPage, type ReadAllRequest, readAll } from "../reading/read-all.ts";
import {
  getStream,
  readStream,
  readStreamPage,
  type StreamInfo,
  type StreamPage,
  type StreamRead,
} from "../reading/read-stream.ts";
import { APPENDS_CHANNEL } from "../subscriptions/append-signal.ts";
import { subscribeToAll } from "../subscriptions/subscribe-to-all.ts";
import type { EventBatch, SubscriptionRequest } from "../subscriptions/subscription.ts";
import type { Visibility } from "./visibility.ts";
import { visibleSessions } from "./visible-sessions.ts";

/**
 * Reading as a caller with a visibility. The methods are those of the store; what is not visible is absent, as if it had never been
 * stored. A stream is read as a whole, without the events in it that carry the id of another user, by its owner only.
 *
 * All methods throw VisibilityUnavailableError when the database has no role for it.
 */
export interface LogReader {
  getById(id: string): Promise<StoredEvent | undefined>;
  query(filter: EventFilter, page: PageRequest): Promise<EventPage>;
  /**
   * Besides positions of visible events, a page's `position` and `watermark` are ends of appends: they show that the log has grown,
   * and not by what.
   */
  readAll(request: Omit<ReadAllRequest, "transaction">): Promise<ReadAllPage>;
  /** One page of what `readStream` reads, by time. `query` has only the events in it that carry the caller's own id. */
  queryStream(filter: StreamName & Pick<EventFilter, "from" | "to">, page: PageRequest): Promise<EventPage>;
  getStream(stream: StreamName): Promise<StreamInfo | undefined>;
  readStream(stream: StreamName, read?: Omit<StreamRead, "transaction">): AsyncIterable<StoredEvent>;
  readStreamPage(stream: StreamName, read?: Omit<StreamRead, "transaction">): Promise<StreamPage>;
  subscribeToAll(request: SubscriptionRequest): AsyncIterable<EventBatch>;
}

/** Creates a reader on a migrated database. @throws RangeError for a visibility without a value */
export function createLogReader(database: Database, visibility: Visibility): LogReader {
  const isLimited = !("all" in visibility);
  const events = isLimited ? visibleSessions(database, visibility, "events") : database;
  const streams = isLimited ? visibleSessions(database, visibility, "streams") : database;
  const source = {
    readAll: (request: ReadAllRequest) => readAll(events, request),
    listen: (onAppend: () => void) => database.listen(APPENDS_CHANNEL, onAppend),
    shown: isLimited ? JSON.stringify(visibility) : undefined,
  };
  return {
    getById: (id) => getEventById(events, id),
    query: (filter, page) => queryEvents(events, filter, page),
    readAll: source.readAll,
    queryStream: (filter, page) => queryEvents(streams, filter, page),
    getStream: (stream) => getStream(streams, stream),
    readStream: (stream, read = {}) => readStream(streams, stream, read),
    readStreamPage: (stream, read = {}) => readStreamPage(streams, stream, read),
    subscribeToAll: (request) => subscribeToAll(source, request),
  };
}
