import { markAmendedEvents } from "../amendments/amendment-queries.ts";
import type { LogSessions } from "../connection/log-sessions.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { EventsArchivedError } from "../events-archived.ts";
import type { CheckedFilter, EventFilter } from "../reading/event-filter.ts";
import { type EventPage, type PageRequest, type PageSearch, readEventPage } from "../reading/event-page.ts";
import {
  type BoundedEvents,
  type GuardedRow,
  type PageRow,
  readGuarded,
  readPage,
} from "../reading/page-bytes.ts";
import { getStreamRow } from "../reading/read-stream.ts";
import { queryAnySessionWithSharedPlan } from "../reading/shared-plan.ts";
import type { StreamRow } from "../reading/stream-pages.ts";
import type { ArchivedEdge } from "./archived-edge.ts";
import { type PositionRange, recordedRange } from "./recorded-range.ts";
import { type EventQueryText, writeEventQuery } from "./write-event-query.ts";

/** Sessions that read the log, or one transaction. */
type QuerySession = SqlSession & Pick<LogSessions, "places">;

/**
 * Reads one page of stored events that match a filter.
 * @throws InvalidCursorError, InvalidMomentError, MomentInFutureError, EventFilterError, EventsArchivedError when the next of them may be
 *   archived, and RangeError for a limit out of bounds.
 */
export function queryEvents(
  session: QuerySession,
  filter: EventFilter,
  page: PageRequest,
): Promise<EventPage> {
  return readEventPage(filter, page, async (search) => {
    const read = beforeArchived(await readRows(session, search), search);
    const { corrections, knownAt } = search.filter;
    return corrections === "marked"
      ? { ...read, events: await markAmendedEvents(session, read.events, knownAt) }
      : read;
  });
}

/** The rows of a page, and the archived chunk that it would come to. */
interface FoundRows {
  readonly rows: readonly PageRow[];
  readonly archived: string | undefined;
}

/**
 * Ends a page before the first archived event that may belong to it: the page after it is refused.
 * @throws EventsArchivedError when no event comes before that one
 */
function beforeArchived({ rows, archived }: FoundRows, { ascending, limit }: PageSearch): BoundedEvents {
  const read = readPage(rows);
  if (archived === undefined) return read;
  // Written by the database.
  const edge = JSON.parse(archived) as ArchivedEdge;
  const isBefore = ({ timestamp }: { readonly timestamp: string }) =>
    ascending ? Date.parse(timestamp) < edge.at : Date.parse(timestamp) > edge.at;
  const end = read.events.findIndex((event) => !isBefore(event));
  if (end < 0 && (read.isCut || read.events.length === limit)) return read;
  const events = end < 0 ? read.events : read.events.slice(0, end);
  if (events.length === 0) throw new EventsArchivedError(edge);
  return { events, isCut: true };
}

const DAY_MS = 86_400_000;
/** Widths of the time ranges that are searched before the whole log. */
const WINDOWS_MS = [DAY_MS, 30 * DAY_MS];
/** Time range up to which a custom plan costs less than excluding the other chunks with a shared plan. */
const SHORT_MS = 30 * DAY_MS;

/**
 * Searches for a page near its start first, because with a thousand chunks planning for all of them costs a hundred times as
 * much as reading one. If that fills the page, it is complete. Events of one user, correlation or cause may be anywhere, so
 * those are searched in the whole log at once.
 */
async function readRows(session: QuerySession, search: PageSearch): Promise<FoundRows> {
  const { aggregateType, aggregateId } = search.filter;
  if (aggregateType !== undefined && aggregateId !== undefined) {
    const stream = await getStreamRow(session.places ?? session, { aggregateType, aggregateId });
    return readStreamRows(session, search, stream);
  }
  if (isSelective(search.filter)) return runQuery(session, search);
  const recorded = await recordedRange(session.places ?? session, search.filter);
  if (recorded === undefined) return NOTHING;
  const { positions, filter } = recorded;
  const within = { ...search, filter };
  // Few events are found at once in a short range.
  const widths = session.places !== undefined && isShort(filter) ? [] : WINDOWS_MS;
  for (const width of widths) {
    const near = narrow(within, width);
    if (near === undefined) break;
    const found = await runQuery(session, { ...search, filter: near }, positions);
    if (found.rows.length === search.limit) return found;
  }
  return runQuery(session, within, positions);
}

const NOTHING: FoundRows = { rows: [], archived: undefined };

/** True for a filter that an index answers with few events, wherever in time they are. */
function isSelective({ aggregateId, userId, correlationId, causationId }: CheckedFilter): boolean {
  return (aggregateId ?? userId ?? correlationId ?? causationId) !== undefined;
}

/**
 * Searches for a page of one stream. The stream's row has its time range, which gives an estimate of the page's. A wide range
 * is not used, because with time bounds as parameters a shared plan would search by time instead of by stream.
 */
async function readStreamRows(
  session: QuerySession,
  search: PageSearch,
  stream: StreamRow | undefined,
): Promise<FoundRows> {
  if (stream === undefined) return NOTHING;
  const { first_timestamp: first, last_timestamp: last, version } = stream;
  if (first === null || last === null) return runQuery(session, search);
  const { from, to } = search.filter;
  const low = Math.max(first, from?.valueOf() ?? Number.NEGATIVE_INFINITY);
  // The end is exclusive, but the last event's time is inclusive.
  const high = Math.min(last + 1, to?.valueOf() ?? Number.POSITIVE_INFINITY);
  const bounded = { ...search, filter: { ...search.filter, from: new Date(low), to: new Date(high) } };
  if (high - low <= SHORT_MS) return runQuery(session, bounded);

  const width = DAY_MS + (1.5 * search.limit * (last - first)) / version;
  const near = width <= SHORT_MS ? narrow(bounded, width) : undefined;
  if (near !== undefined) {
    const found = await runQuery(session, { ...search, filter: near });
    if (found.rows.length === search.limit) return found;
  }
  return runQuery(session, search, undefined, bounded.filter);
}

/**
 * Runs a query, with a shared plan if it is selective and over more than a few days. Sessions that show some rows only read those of
 * one user or actor, whatever the filter.
 */
async function runQuery(
  session: QuerySession,
  search: PageSearch,
  positions?: PositionRange,
  bounds?: CheckedFilter,
): Promise<FoundRows> {
  if (!hasArchived) {
    const found = await run(session, search, writeEventQuery(search, "any", positions, bounds));
    if (found.archived === undefined) return found;
    hasArchived = true;
  }
  return run(session, search, writeEventQuery(search, "edge", positions, bounds));
}

/** True if this process has met a store with archived events. It only chooses the statement that is likely to be enough. */
let hasArchived = false;

async function run(
  session: QuerySession,
  search: PageSearch,
  { text, parameters }: EventQueryText,
): Promise<FoundRows> {
  const isFew = isSelective(search.filter) || session.places !== undefined;
  return readGuarded(
    await (isFew && !isShort(search.filter)
      ? queryAnySessionWithSharedPlan<GuardedRow>(session, text, parameters)
      : session.query<GuardedRow>(text, parameters)),
  );
}

function isShort({ from, to }: CheckedFilter): boolean {
  return from !== undefined && to !== undefined && to.valueOf() - from.valueOf() <= SHORT_MS;
}

/** Narrows a filter to a time range at the start of the page; undefined if it is already narrower or its start is unknown. */
function narrow({ filter, cursor, ascending }: PageSearch, width: number): CheckedFilter | undefined {
  const bound = ascending ? filter.from : filter.to;
  const known = [bound?.valueOf(), cursor?.timestamp].filter((limit) => limit !== undefined);
  if (ascending && known.length === 0) return undefined;
  if (ascending) {
    const end = Math.max(...known) + width;
    return filter.to !== undefined && filter.to.valueOf() <= end
      ? undefined
      : { ...filter, to: new Date(end) };
  }
  const start = Math.min(...known, Date.now()) - width;
  return filter.from !== undefined && filter.from.valueOf() >= start
    ? undefined
    : { ...filter, from: new Date(start) };
}
