import type { StoredEvent } from "@synap/types";
import { type EventCursor, readEventCursor, writeEventCursor } from "./cursors.ts";
import { type CheckedFilter, checkFilter, describeScope, type EventFilter } from "./event-filter.ts";
import { type BoundedEvents, checkMaxBytes } from "./page-bytes.ts";

export interface PageRequest {
  /** Number of events on a page, 1 to 1,000. Fewer when they are large: a page ends with the event that reaches 4 MiB. */
  readonly limit: number;
  /** "asc": oldest first; "desc": newest first. By timestamp; within one millisecond by position. */
  readonly order: "asc" | "desc";
  /** A page ends with the event that reaches this size in bytes. Default and maximum: 4 MiB. */
  readonly maxBytes?: number | undefined;
  /** From an earlier page of the same filter and order. */
  readonly cursor?: string | undefined;
}

export interface EventPage<Event extends StoredEvent = StoredEvent> {
  /** In the requested order, in either direction of the cursor. */
  readonly events: readonly Event[];
  /** Leads to the page after this one; undefined on the last. */
  readonly nextCursor?: string;
  /** Leads to the page before this one; undefined on the first. */
  readonly previousCursor?: string;
}

/** Maximum number of events on a page. */
export const MAX_PAGE_EVENTS = 1000;

/** The search for a page: its filter, its start, and the number of events to read, including the one that shows a next page. */
export interface PageSearch {
  readonly filter: CheckedFilter;
  readonly cursor: EventCursor | undefined;
  readonly ascending: boolean;
  readonly limit: number;
  readonly maxBytes: number | undefined;
}

/**
 * Reads one page of events by keyset: each page costs the same at any depth, and events that arrive in the meantime
 * neither shift nor repeat others. `search` returns the matching events, in order, and as
 * many of them as fit on a page.
 * @throws InvalidCursorError, InvalidMomentError, MomentInFutureError, EventFilterError, and RangeError for a limit out of bounds.
 */
export async function readEventPage(
  given: EventFilter,
  page: PageRequest,
  search: (search: PageSearch) => Promise<BoundedEvents>,
): Promise<EventPage> {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_PAGE_EVENTS) {
    throw new RangeError(`A page holds 1 to ${MAX_PAGE_EVENTS} events, not ${page.limit}.`);
  }
  checkMaxBytes(page.maxBytes);
  const filter = checkFilter(given);
  const scope = describeScope(filter, page.order);
  const cursor = page.cursor === undefined ? undefined : readEventCursor(page.cursor, scope);
  const backwards = cursor?.direction === "previous";

  // One more than requested shows whether there is another page in that direction.
  const ascending = (page.order === "asc") !== backwards;
  const { maxBytes } = page;
  const { events: found, isCut } = await search({
    filter,
    cursor,
    ascending,
    limit: page.limit + 1,
    maxBytes,
  });
  const isMore = isCut || found.length > page.limit;
  const events = found.slice(0, page.limit);
  if (backwards) events.reverse();

  const edge = (event: StoredEvent | undefined, direction: EventCursor["direction"]) =>
    event &&
    writeEventCursor({ direction, timestamp: Date.parse(event.timestamp), position: event.position }, scope);
  // On the other side there is at least the event that the cursor came from.
  const nextCursor = backwards || isMore ? edge(events.at(-1), "next") : undefined;
  const previousCursor = (backwards ? isMore : cursor !== undefined)
    ? edge(events[0], "previous")
    : undefined;
  return {
    events,
    ...(nextCursor !== undefined && { nextCursor }),
    ...(previousCursor !== undefined && { previousCursor }),
  };
}
