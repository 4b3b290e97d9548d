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
/** Planning for a day costs about a thirtieth of a millisecond, a plan for all of a thousand days about as much as 30 ms. */
const SHORT_LIFE_MS = 60 * 86_400_000;

/**
 * The events of a stream, fetched page by page as they are asked for, up to the version that the stream has when
 * reading begins. A stream that lived within two months is read within its own time, which spares planning for every
 * other chunk; one that lived longer through a plan that is made once.
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

function readPage(
  database: Database,
  stream: StreamName,
  { from, to, head, request }: Page,
): Promise<EventRow[]> {
  const order = `\n ORDER BY stream_version ${request.direction === "backwards" ? "DESC" : "ASC"}`;
  const parameters = [stream.aggregateType, stream.aggregateId, from, to];
  const { first_timestamp: first, last_timestamp: last } = head;
  if (first === null || last === null) {
    return queryWithSharedPlan(database, request.transaction, OF_STREAM + order, parameters);
  }
  if (last.valueOf() - first.valueOf() > SHORT_LIFE_MS) {
    return queryWithSharedPlan(database, request.transaction, WITHIN + order, [...parameters, first, last]);
  }
  return (request.transaction ?? database).query(WITHIN + order, [...parameters, first, last]);
}
