import type { StreamName } from "@synap/types";
import { streamKeyOf } from "../archive/archive-keys.ts";
import { archivedOfKey, refuseArchived } from "../archive/archived-events.ts";
import type { LogSessions } from "../connection/log-sessions.ts";
import type { SqlParameter, Transaction } from "../connection/sql-session.ts";
import {
  type BoundedEvents,
  type GuardedRow,
  type PageRow,
  readGuarded,
  readPage,
  selectGuardedPage,
  selectPage,
} from "./page-bytes.ts";
import { queryWithSharedPlan } from "./shared-plan.ts";

/** Row of a stream, with times in milliseconds since 1970. Its events lie between the two timestamps; null if unknown. */
export interface StreamRow {
  readonly version: number;
  readonly closed_at: number | null;
  readonly first_timestamp: number | null;
  readonly last_timestamp: number | null;
}

const OF_STREAM = `
      SELECT *
        FROM synap.events
       WHERE aggregate_type = $1 AND aggregate_id = $2 AND stream_version BETWEEN $3 AND $4`;
const WITHIN = `${OF_STREAM} AND "timestamp" BETWEEN $6 AND $7`;
const UNORDERED = `
      WITH found AS MATERIALIZED (${WITHIN})
      SELECT * FROM found`;

/** The three queries for a page in one direction; `readWithin` chooses one. The fifth parameter is the byte limit. */
interface PageQueries {
  readonly within: string;
  readonly unordered: string;
  readonly anywhere: string;
}

const ORDERS = { forwards: "stream_version", backwards: "stream_version DESC" } as const;

/** The queries of pages in both directions, whose rows are events, or events with what is archived of the stream. */
interface Pages<Row> {
  readonly of: Readonly<Record<"forwards" | "backwards", PageQueries>>;
  /** Further parameters, behind the bounds in time. */
  readonly also: (stream: StreamName) => readonly SqlParameter[];
  /** Number of events of a page. */
  readonly count: (rows: readonly Row[]) => number;
}

function writePages(select: (rows: string, order: string, place: number) => string) {
  const inOrder = (order: string): PageQueries => ({
    within: select(WITHIN, order, 8),
    unordered: select(UNORDERED, order, 8),
    anywhere: select(OF_STREAM, order, 6),
  });
  return { forwards: inOrder(ORDERS.forwards), backwards: inOrder(ORDERS.backwards) };
}

const plainPages: Pages<PageRow> = {
  of: writePages((rows, order) => selectPage(rows, order, "$5")),
  also: () => [],
  count: (rows) => rows.length,
};

const guardedPages: Pages<GuardedRow> = {
  of: writePages((rows, order, place) => selectGuardedPage(archivedOfKey(`$${place}`), rows, order, "$5")),
  also: (stream) => [streamKeyOf(stream)],
  count: (rows) => readGuarded(rows).rows.length,
};

const DAY_MS = 86_400_000;
/** Widths of time range, in days, up to which `readWithin` uses a custom plan or excludes chunks with a shared plan. */
const CUSTOM_PLAN_DAYS = 30;
const EXCLUSION_DAYS = 300;

/** A page of a stream: a range of versions, and how to read it. */
export interface Page {
  readonly from: number;
  readonly to: number;
  readonly head: StreamRow;
  readonly transaction: Transaction | undefined;
  readonly direction: "forwards" | "backwards";
  readonly maxBytes: number;
}

const MISSING = `
SELECT v.version,
       EXISTS (
         SELECT FROM synap.purged_events AS p
          WHERE p.aggregate_type = $1 AND p.aggregate_id = $2 AND p.stream_version = v.version) AS purged
  FROM generate_series($3::bigint, $4::bigint) AS v(version)
 WHERE NOT EXISTS (
         SELECT FROM synap.events AS e
          WHERE e.aggregate_type = $1 AND e.aggregate_id = $2 AND e.stream_version = v.version)
 ORDER BY v.version`;

/**
 * Reads a page up to the first event of it that is archived: the page after it is refused. Versions have no gaps, so only a page that lacks
 * some is looked at: they may be purged, or of somebody else.
 * @throws EventsArchivedError when the first event is archived
 */
export async function readComplete(
  database: LogSessions,
  stream: StreamName,
  page: Page,
): Promise<BoundedEvents> {
  const { from, to, direction, transaction } = page;
  const wanted = to - from + 1;
  const first = await readRows(database, stream, page, plainPages);
  if (first.length === wanted) return readPage(first);
  // Once more, with what is archived in the same snapshot.
  const { rows, archived } = readGuarded(await readRows(database, stream, page, guardedPages));
  const read = readPage(rows);
  if (archived === undefined || rows.length === wanted) return read;
  const { aggregateType, aggregateId } = stream;
  const missing = await (database.places ?? transaction ?? database).query<MissingVersion>(MISSING, [
    aggregateType,
    aggregateId,
    from,
    to,
  ]);
  // Some were restored since.
  if (database.places === undefined && missing.length < wanted - rows.length)
    return readComplete(database, stream, page);
  const versions = missing.flatMap(({ version, purged }) => (purged ? [] : [version]));
  const edge = direction === "forwards" ? versions[0] : versions.at(-1);
  if (edge === undefined) return read;
  const events = read.events.filter(({ streamVersion: version }) =>
    direction === "forwards" ? version < edge : version > edge,
  );
  if (events.length === 0) refuseArchived(archived);
  return { events, isCut: true };
}

interface MissingVersion {
  readonly version: number;
  readonly purged: boolean;
}

/** Reads the rows of a page: first in the expected time range, then, if some are missing, in the stream's whole time range. */
async function readRows<Row extends object>(
  database: LogSessions,
  stream: StreamName,
  page: Page,
  pages: Pages<Row>,
): Promise<Row[]> {
  const { from, to, head } = page;
  const ask: Ask = {
    page,
    queries: pages.of[page.direction],
    parameters: [stream.aggregateType, stream.aggregateId, from, to, page.maxBytes],
    also: pages.also(stream),
  };
  const { first_timestamp: first, last_timestamp: last } = head;
  if (first === null || last === null) return readAnywhere<Row>(database, ask);
  const range = estimateTimeRange(page, first, last);
  const rows = await readWithin<Row>(database, ask, range);
  const isAll = range[0] <= first && range[1] >= last;
  if (isAll || pages.count(rows) === to - from + 1) return rows;
  return readWithin<Row>(database, ask, [first, last]);
}

/** A page, the queries for its direction, and their parameters before and behind the bounds in time. */
interface Ask {
  readonly page: Page;
  readonly queries: PageQueries;
  readonly parameters: readonly SqlParameter[];
  readonly also: readonly SqlParameter[];
}

/**
 * Estimates the time range of a page, assuming that the stream's events are evenly distributed. A wrong estimate costs a
 * second query.
 */
function estimateTimeRange({ from, to, head }: Page, first: number, last: number): [number, number] {
  const pace = (last - first) / head.version;
  const margin = Math.max(DAY_MS, (last - first) / 50);
  const low = Math.max(first, first + pace * (from - 1) - margin);
  const high = Math.min(last, first + pace * to + margin);
  return [Math.floor(low), Math.ceil(high)];
}

/**
 * Reads a time range with the plan that is cheapest for a thousand chunks of one day. A custom plan costs 0.2 ms per chunk.
 * A shared plan excludes the other chunks in 8 ms, but only if it may read them in any order. If most chunks are needed,
 * merging all of them in order costs half as much as that.
 */
async function readWithin<Row extends object>(
  database: LogSessions,
  ask: Ask,
  [low, high]: [number, number],
): Promise<Row[]> {
  const { page, queries, parameters, also } = ask;
  const { transaction } = page;
  const days = (high - low) / DAY_MS;
  const bounded = [...parameters, new Date(low), new Date(high), ...also];
  // The embedded engine never reuses plans.
  if (days <= CUSTOM_PLAN_DAYS || database.engine === "embedded") {
    return (transaction ?? database).query<Row>(queries.within, bounded);
  }
  if (days > EXCLUSION_DAYS) return readAnywhere(database, ask);
  return queryWithSharedPlan<Row>(database, transaction, queries.unordered, bounded);
}

function readAnywhere<Row extends object>(
  database: LogSessions,
  { page, queries, parameters, also }: Ask,
): Promise<Row[]> {
  return queryWithSharedPlan<Row>(database, page.transaction, queries.anywhere, [...parameters, ...also]);
}
