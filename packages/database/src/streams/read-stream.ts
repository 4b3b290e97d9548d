import type { StoredEvent } from "@synap/types";
import type { Database } from "../connection/sql-session.ts";
import { EVENT_COLUMNS, type EventRow, readEventRow } from "../reading/event-row.ts";
import { queryWithSharedPlan } from "../reading/shared-plan.ts";
import { getStreamRow, type StreamRow } from "./get-stream.ts";
import type { StreamRead } from "./stream-append.ts";
import type { StreamName } from "./stream-name.ts";

const OF_STREAM = `
SELECT ${EVENT_COLUMNS}
  FROM synap.events
 WHERE aggregate_type = $1 AND aggregate_id = $2 AND stream_version BETWEEN $3 AND $4`;

const WITHIN = `${OF_STREAM} AND "timestamp" BETWEEN $5 AND $6`;

const DEFAULT_PAGE = 500;
const MAX_PAGE = 10_000;
const DAY_MS = 86_400_000;
/** Up to here, planning for the days in question is cheaper than a plan for all days. */
const SHORT_MS = 60 * DAY_MS;

/**
 * The events of a stream, fetched page by page as they are asked for, up to the version that the stream has when
 * reading begins. A stream that lived within two months is read within its own time, which spares planning for every
 * other chunk; so is a page of a longer one where it can be guessed. Else a plan is shared that is made once.
 */
export async function* readStream(
  database: Database,
  stream: StreamName,
  request: StreamRead,
): AsyncGenerator<StoredEvent, void, void> {
  const { transaction } = request;
  checkStreamRead(request);
  const head = await getStreamRow(transaction ?? database, stream);
  if (head === undefined) return;
  for (const [from, to] of versionPages(head.version, request)) {
    const rows = await readPage(database, stream, { from, to, head, request });
    yield* rows.map(readEventRow);
  }
}

/** @throws RangeError for a page size out of bounds, or a version that is none. */
export function checkStreamRead({ fromVersion, toVersion, pageSize = DEFAULT_PAGE }: StreamRead): void {
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE) {
    throw new RangeError(`A page of a stream holds 1 to ${MAX_PAGE} events, not ${pageSize}.`);
  }
  for (const version of [fromVersion, toVersion]) {
    if (version !== undefined && !(Number.isSafeInteger(version) && version >= 0)) {
      throw new RangeError(`A stream version is a whole number, not ${version}.`);
    }
  }
}

/** Versions are consecutive, so a page is a range of them. */
function* versionPages(streamVersion: number, request: StreamRead): Generator<[number, number]> {
  const { fromVersion = 1, toVersion = streamVersion, pageSize = DEFAULT_PAGE } = request;
  const first = Math.max(1, fromVersion);
  const last = Math.min(streamVersion, toVersion);
  if (request.direction === "backwards") {
    for (let to = last; to >= first; to -= pageSize) yield [Math.max(first, to - pageSize + 1), to];
  } else {
    for (let from = first; from <= last; from += pageSize) yield [from, Math.min(last, from + pageSize - 1)];
  }
}

interface Page {
  readonly from: number;
  readonly to: number;
  readonly head: StreamRow;
  readonly request: StreamRead;
}

async function readPage(database: Database, stream: StreamName, page: Page): Promise<EventRow[]> {
  const { from, to, head, request } = page;
  const { transaction } = request;
  const order = `\n ORDER BY stream_version ${request.direction === "backwards" ? "DESC" : "ASC"}`;
  const parameters = [stream.aggregateType, stream.aggregateId, from, to];
  const { first_timestamp: first, last_timestamp: last } = head;
  if (first === null || last === null) {
    return queryWithSharedPlan(database, transaction, OF_STREAM + order, parameters);
  }
  const readWithin = (low: Date, high: Date) =>
    (transaction ?? database).query<EventRow>(WITHIN + order, [...parameters, low, high]);
  if (last.valueOf() - first.valueOf() <= SHORT_MS) return readWithin(first, last);
  const guess = guessTime(page, first.valueOf(), last.valueOf());
  if (guess !== undefined) {
    const rows = await readWithin(...guess);
    if (rows.length === to - from + 1) return rows;
  }
  return queryWithSharedPlan(database, transaction, WITHIN + order, [...parameters, first, last]);
}

/**
 * Where in time a page of a long stream lies, if its events came at an even pace: a good guess finds every version of
 * the page, and one that doesn't costs a query. Undefined when it would be as wide as not to be worth it.
 */
function guessTime({ from, to, head }: Page, first: number, last: number): [Date, Date] | undefined {
  const pace = (last - first) / head.version;
  const margin = Math.max(DAY_MS, (last - first) / 50);
  const low = Math.max(first, first + pace * (from - 1) - margin);
  const high = Math.min(last, first + pace * to + margin);
  return high - low > SHORT_MS ? undefined : [new Date(Math.floor(low)), new Date(Math.ceil(high))];
}
