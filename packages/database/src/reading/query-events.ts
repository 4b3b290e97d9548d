import type { Database, SqlParameter } from "../connection/sql-session.ts";
import {
  type EventFilter,
  type EventPage,
  moment,
  type PageRequest,
  type PageSearch,
  readEventPage,
} from "./event-page.ts";
import { MAX_PAGE_BYTES, type PageRow, readPage, selectPage } from "./page-bytes.ts";
import { getStreamRow, type StreamRow } from "./read-stream.ts";
import { queryWithSharedPlan } from "./shared-plan.ts";

/**
 * Reads one page of stored events that match a filter.
 * @throws InvalidCursorError, InvalidMomentError, and RangeError for a limit out of bounds.
 */
export function queryEvents(database: Database, filter: EventFilter, page: PageRequest): Promise<EventPage> {
  return readEventPage(filter, page, async (search) => readPage(await readRows(database, search)));
}

const DAY_MS = 86_400_000;
/** Widths of the time ranges that are searched before the whole log. */
const WINDOWS_MS = [DAY_MS, 30 * DAY_MS];
/** Time range up to which a custom plan costs less than excluding the other chunks with a shared plan. */
const SHORT_MS = 30 * DAY_MS;

/**
 * Searches for a page near its start first, because with a thousand chunks planning for all of them costs a hundred times as
 * much as reading one. If that fills the page, it is complete. Events of one user or correlation may be anywhere, so those
 * are searched in the whole log at once.
 */
async function readRows(database: Database, search: PageSearch): Promise<PageRow[]> {
  const { aggregateType, aggregateId, userId, correlationId } = search.filter;
  if (aggregateType !== undefined && aggregateId !== undefined) {
    return readStreamRows(database, search, await getStreamRow(database, { aggregateType, aggregateId }));
  }
  if ((aggregateId ?? userId ?? correlationId) !== undefined) return runQuery(database, search);
  for (const width of WINDOWS_MS) {
    const near = narrow(search, width);
    if (near === undefined) break;
    const rows = await runQuery(database, { ...search, filter: near });
    if (rows.length === search.limit) return rows;
  }
  return runQuery(database, search);
}

/**
 * Searches for a page of one stream. The stream's row has its time range, which gives an estimate of the page's. A wide range
 * is not used, because with time bounds as parameters a shared plan would search by time instead of by stream.
 */
async function readStreamRows(
  database: Database,
  search: PageSearch,
  stream: StreamRow | undefined,
): Promise<PageRow[]> {
  if (stream === undefined) return [];
  const { first_timestamp: first, last_timestamp: last, version } = stream;
  if (first === null || last === null) return runQuery(database, search);
  const { from, to } = search.filter;
  const low = Math.max(first, from === undefined ? Number.NEGATIVE_INFINITY : moment(from).valueOf());
  // The end is exclusive, but the last event's time is inclusive.
  const high = Math.min(last + 1, to === undefined ? Number.POSITIVE_INFINITY : moment(to).valueOf());
  const bounded = { ...search, filter: { ...search.filter, from: new Date(low), to: new Date(high) } };
  if (high - low <= SHORT_MS) return runQuery(database, bounded);

  const width = DAY_MS + (1.5 * search.limit * (last - first)) / version;
  const near = width <= SHORT_MS ? narrow(bounded, width) : undefined;
  if (near !== undefined) {
    const rows = await runQuery(database, { ...search, filter: near });
    if (rows.length === search.limit) return rows;
  }
  return runQuery(database, search);
}

/** Runs a query, with a shared plan if it is by stream, user or correlation and over more than a few days. */
function runQuery(database: Database, search: PageSearch): Promise<PageRow[]> {
  const { from, to, aggregateId, userId, correlationId } = search.filter;
  const { text, parameters } = writeQuery(search);
  const isSelective = (aggregateId ?? userId ?? correlationId) !== undefined;
  const isShort =
    from !== undefined && to !== undefined && moment(to).valueOf() - moment(from).valueOf() <= SHORT_MS;
  return isSelective && !isShort
    ? queryWithSharedPlan(database, undefined, text, parameters)
    : database.query<PageRow>(text, parameters);
}

/** Narrows a filter to a time range at the start of the page; undefined if it is already narrower or its start is unknown. */
function narrow({ filter, cursor, ascending }: PageSearch, width: number): EventFilter | undefined {
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

function writeQuery({ filter, cursor, ascending, limit, maxBytes = MAX_PAGE_BYTES }: PageSearch): {
  text: string;
  parameters: SqlParameter[];
} {
  const parameters: SqlParameter[] = [];
  const conditions: string[] = [];
  const where = (write: (parameter: string) => string, value: SqlParameter) => {
    parameters.push(value);
    conditions.push(write(`$${parameters.length}`));
  };

  if (filter.from !== undefined)
    where((parameter) => `"timestamp" >= ${parameter}::timestamptz`, moment(filter.from));
  if (filter.to !== undefined)
    where((parameter) => `"timestamp" < ${parameter}::timestamptz`, moment(filter.to));
  const { types } = filter;
  if (types?.length === 1 && types[0] !== undefined) where((parameter) => `type = ${parameter}`, types[0]);
  else if (types !== undefined) {
    where(
      (parameter) => `type = ANY (ARRAY(SELECT jsonb_array_elements_text(${parameter}::text::jsonb)))`,
      JSON.stringify(types),
    );
  }
  if (filter.aggregateType !== undefined)
    where((parameter) => `aggregate_type = ${parameter}`, filter.aggregateType);
  if (filter.aggregateId !== undefined)
    where((parameter) => `aggregate_id = ${parameter}`, filter.aggregateId);
  if (filter.userId !== undefined) where((parameter) => `user_id = ${parameter}`, filter.userId);
  if (filter.correlationId !== undefined)
    where((parameter) => `correlation_id = ${parameter}`, filter.correlationId);
  if (cursor !== undefined) {
    const than = ascending ? ">" : "<";
    // The condition on the time excludes chunks; the pair orders events of the same millisecond.
    where((parameter) => `"timestamp" ${than}= ${parameter}::timestamptz`, new Date(cursor.timestamp));
    const time = `$${parameters.length}`;
    where(
      (parameter) => `("timestamp", "position") ${than} (${time}::timestamptz, ${parameter}::bigint)`,
      cursor.position,
    );
  }

  parameters.push(limit, maxBytes);
  const direction = ascending ? "ASC" : "DESC";
  const order = `"timestamp" ${direction}, "position" ${direction}`;
  const text = selectPage(
    `
      SELECT *
        FROM synap.events
       ${conditions.length === 0 ? "" : `WHERE ${conditions.join("\n         AND ")}`}
       ORDER BY ${order}
       LIMIT $${parameters.length - 1}`,
    order,
    `$${parameters.length}`,
  );
  return { text, parameters };
}
