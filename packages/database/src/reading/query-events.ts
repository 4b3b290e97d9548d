import type { StoredEvent } from "@synap/types";
import type { Database, SqlParameter } from "../connection/sql-session.ts";
import { type EventCursor, readCursor, writeCursor } from "./event-cursor.ts";
import { EVENT_COLUMNS, type EventRow, readEventRow } from "./event-row.ts";
import { queryWithSharedPlan } from "./shared-plan.ts";

/** Which events are asked for. Everything given must hold; times compare with `timestamp`. */
export interface EventFilter {
  /** From this moment on: a Date, or RFC 3339 text. */
  readonly from?: Date | string | undefined;
  /** Until this moment, exclusive. */
  readonly to?: Date | string | undefined;
  /** One of these types. */
  readonly types?: readonly string[] | undefined;
  readonly aggregateType?: string | undefined;
  readonly aggregateId?: string | undefined;
  readonly userId?: string | undefined;
  readonly correlationId?: string | undefined;
}

export interface PageRequest {
  /** Events on a page, 1 to 1,000. */
  readonly limit: number;
  /** "asc": oldest first; "desc": newest first. By timestamp; within one millisecond by position. */
  readonly order: "asc" | "desc";
  /** From an earlier page of the same filter and order. */
  readonly cursor?: string | undefined;
}

export interface EventPage {
  /** In the order that was asked for, whichever way the cursor went. */
  readonly events: readonly StoredEvent[];
  /** Leads to the page after this one; undefined on the last. */
  readonly nextCursor?: string;
  /** Leads to the page before this one; undefined on the first. */
  readonly previousCursor?: string;
}

/** The most events on one page. */
export const MAX_PAGE_EVENTS = 1000;

/**
 * One page of events by keyset: each page costs the same however far in it lies, and events that arrive meanwhile
 * neither shift nor repeat others.
 * @throws InvalidCursorError, and RangeError for a limit out of bounds or a time that is none.
 */
export async function queryEvents(
  database: Database,
  filter: EventFilter,
  page: PageRequest,
): Promise<EventPage> {
  if (!Number.isInteger(page.limit) || page.limit < 1 || page.limit > MAX_PAGE_EVENTS) {
    throw new RangeError(`A page holds 1 to ${MAX_PAGE_EVENTS} events, not ${page.limit}.`);
  }
  const scope = describeScope(filter, page.order);
  const cursor = page.cursor === undefined ? undefined : readCursor(page.cursor, scope);
  const backwards = cursor?.direction === "previous";

  // One more than asked for tells whether there is another page in that direction.
  const ascending = (page.order === "asc") !== backwards;
  const rows = await readRows(database, { filter, cursor, ascending, limit: page.limit + 1 });
  const isMore = rows.length > page.limit;
  const events = rows.slice(0, page.limit).map(readEventRow);
  if (backwards) events.reverse();

  const edge = (event: StoredEvent | undefined, direction: EventCursor["direction"]) =>
    event &&
    writeCursor({ direction, timestamp: Date.parse(event.timestamp), position: event.position }, scope);
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

interface Search {
  readonly filter: EventFilter;
  readonly cursor: EventCursor | undefined;
  readonly ascending: boolean;
  readonly limit: number;
}

/** How far to look, in days, before looking everywhere. */
const WINDOW_DAYS = [1, 30];
const DAY_MS = 86_400_000;

/**
 * With a thousand chunks, planning for all of them costs a hundred times what reading one does. So a page of whatever
 * happened is looked for near its beginning first; if that fills the page, nothing further away belongs on it.
 */
async function readRows(database: Database, search: Search): Promise<EventRow[]> {
  const { filter } = search;
  if ((filter.aggregateId ?? filter.userId ?? filter.correlationId) !== undefined) {
    const anywhere = writeQuery(search);
    return queryWithSharedPlan(database, undefined, anywhere.text, anywhere.parameters);
  }
  for (const days of WINDOW_DAYS) {
    const near = narrow(search, days * DAY_MS);
    if (near === undefined) break;
    const { text, parameters } = writeQuery({ ...search, filter: near });
    const rows = await database.query<EventRow>(text, parameters);
    if (rows.length === search.limit) return rows;
  }
  const { text, parameters } = writeQuery(search);
  return database.query<EventRow>(text, parameters);
}

/** The filter with its far end moved near; undefined when it isn't any further away, or the near end isn't known. */
function narrow({ filter, cursor, ascending }: Search, width: number): EventFilter | undefined {
  const bound = ascending ? filter.from : filter.to;
  const limits = [bound === undefined ? undefined : moment(bound).valueOf(), cursor?.timestamp];
  const known = limits.filter((limit) => limit !== undefined);
  if (ascending && known.length === 0) return undefined;
  if (ascending) {
    const end = Math.max(...known) + width;
    return filter.to !== undefined && moment(filter.to).valueOf() <= end
      ? undefined
      : { ...filter, to: new Date(end) };
  }
  const start = Math.min(...known, Date.now()) - width;
  return filter.from !== undefined && moment(filter.from).valueOf() >= start
    ? undefined
    : { ...filter, from: new Date(start) };
}

function writeQuery({ filter, cursor, ascending, limit }: Search): {
  text: string;
  parameters: SqlParameter[];
} {
  const parameters: SqlParameter[] = [];
  const conditions: string[] = [];
  const where = (write: (place: string) => string, value: SqlParameter) => {
    parameters.push(value);
    conditions.push(write(`$${parameters.length}`));
  };

  if (filter.from !== undefined)
    where((place) => `"timestamp" >= ${place}::timestamptz`, moment(filter.from));
  if (filter.to !== undefined) where((place) => `"timestamp" < ${place}::timestamptz`, moment(filter.to));
  const { types } = filter;
  if (types?.length === 1 && types[0] !== undefined) where((place) => `type = ${place}`, types[0]);
  else if (types !== undefined) {
    where(
      (place) => `type = ANY (ARRAY(SELECT jsonb_array_elements_text(${place}::text::jsonb)))`,
      JSON.stringify(types),
    );
  }
  if (filter.aggregateType !== undefined) where((place) => `aggregate_type = ${place}`, filter.aggregateType);
  if (filter.aggregateId !== undefined) where((place) => `aggregate_id = ${place}`, filter.aggregateId);
  if (filter.userId !== undefined) where((place) => `user_id = ${place}`, filter.userId);
  if (filter.correlationId !== undefined) where((place) => `correlation_id = ${place}`, filter.correlationId);
  if (cursor !== undefined) {
    const than = ascending ? ">" : "<";
    // The bound on the time alone is what excludes chunks; the pair decides within its millisecond.
    where((place) => `"timestamp" ${than}= ${place}::timestamptz`, new Date(cursor.timestamp));
    const time = `$${parameters.length}`;
    where(
      (place) => `("timestamp", "position") ${than} (${time}::timestamptz, ${place}::bigint)`,
      cursor.position,
    );
  }

  parameters.push(limit);
  const direction = ascending ? "ASC" : "DESC";
  const text = `
SELECT ${EVENT_COLUMNS}
  FROM synap.events
 ${conditions.length === 0 ? "" : `WHERE ${conditions.join("\n   AND ")}`}
 ORDER BY "timestamp" ${direction}, "position" ${direction}
 LIMIT $${parameters.length}`;
  return { text, parameters };
}

function moment(value: Date | string): Date {
  const date = new Date(value);
  if (Number.isNaN(date.valueOf())) throw new RangeError(`${String(value)} is not a time.`);
  return date;
}

/** The same question always reads the same, however its fields were written. */
function describeScope(filter: EventFilter, order: PageRequest["order"]): string {
  const at = (value: Date | string | undefined) => (value === undefined ? null : moment(value).toISOString());
  const { types, aggregateType, aggregateId, userId, correlationId } = filter;
  const parts = [at(filter.from), at(filter.to), types === undefined ? null : [...types].sort()];
  return JSON.stringify(
    [order, ...parts, aggregateType, aggregateId, userId, correlationId].map((part) => part ?? null),
  );
}
