import type { StoredEvent, StreamName } from "@synap/types";
import type { LogSessions } from "../connection/log-sessions.ts";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession, Transaction } from "../connection/sql-session.ts";
import { checkMaxBytes, MAX_PAGE_BYTES } from "./page-bytes.ts";
import { readComplete, type StreamRow } from "./stream-pages.ts";

/** Version of a stream and the time at which it was closed. */
export interface StreamInfo {
  /** Version of the last event. */
  readonly streamVersion: number;
  /** Time at which it was closed, in the format of `timestamp`; missing while it is open. */
  readonly closedAt?: string;
}

export interface StreamRead {
  /** First version to read, inclusive. Default 1. */
  readonly fromVersion?: number | undefined;
  /** Last version to read, inclusive. Default: the stream's version when reading begins. */
  readonly toVersion?: number | undefined;
  /** `backwards` begins with the last version. Default `forwards`. */
  readonly direction?: "forwards" | "backwards" | undefined;
  /** Number of events fetched at a time, 1 to 10,000. Default 1,000. Fewer when they are large: at most 4 MiB at a time. */
  readonly pageSize?: number | undefined;
  /** A page ends with the event that reaches this size in bytes. Default and maximum: 4 MiB. */
  readonly maxPageBytes?: number | undefined;
  /** Read inside this transaction. With the embedded engine, required whenever one is open. */
  readonly transaction?: Transaction | undefined;
}

/** A page of a stream. */
export interface StreamPage {
  /** In the direction of the read. */
  readonly events: readonly StoredEvent[];
  /** First version of the rest, in the direction of the read; undefined on the last page. */
  readonly nextVersion?: number;
  /** The stream when the page was read; undefined when it has no events. */
  readonly info?: StreamInfo;
}

const GET_STREAM = `
SELECT version, ${epochMs("closed_at")} AS closed_at,
       ${epochMs("nullif(first_timestamp, '-infinity')")} AS first_timestamp,
       ${epochMs("nullif(last_timestamp, 'infinity')")} AS last_timestamp
  FROM synap.streams
 WHERE aggregate_type = $1 AND aggregate_id = $2`;

/** Reads the row of a stream. */
export async function getStreamRow(session: SqlSession, stream: StreamName): Promise<StreamRow | undefined> {
  const [row] = await session.query<StreamRow>(GET_STREAM, [stream.aggregateType, stream.aggregateId]);
  return row;
}

/** Reads the version and the closing time of a stream; undefined when it has no events. */
export async function getStream(session: SqlSession, stream: StreamName): Promise<StreamInfo | undefined> {
  const row = await getStreamRow(session, stream);
  return row && infoOf(row);
}

function infoOf({ version, closed_at: closedAt }: StreamRow): StreamInfo {
  return { streamVersion: version, ...(closedAt !== null && { closedAt: isoFromEpoch(closedAt) }) };
}

const DEFAULT_PAGE = 1_000;
const MAX_PAGE = 10_000;

/**
 * Iterates over the events of a stream, fetching page by page, up to the version that the stream has when reading begins.
 */
export async function* readStream(
  database: LogSessions,
  stream: StreamName,
  request: StreamRead,
): AsyncGenerator<StoredEvent, void, void> {
  checkStreamRead(request);
  const head = await getStreamRow(request.transaction ?? database, stream);
  if (head === undefined) return;
  for (let next: StreamRead | undefined = request; next !== undefined; ) {
    const { events, nextVersion } = await readPageOf(database, stream, head, next);
    yield* events;
    next = nextVersion === undefined ? undefined : continueAt(next, nextVersion);
  }
}

/** Reads one page of a stream, up to its current version. Empty for a stream that doesn't exist. */
export async function readStreamPage(
  database: LogSessions,
  stream: StreamName,
  request: StreamRead,
): Promise<StreamPage> {
  checkStreamRead(request);
  const head = await getStreamRow(request.transaction ?? database, stream);
  if (head === undefined) return { events: [] };
  return { ...(await readPageOf(database, stream, head, request)), info: infoOf(head) };
}

/** Returns a read that continues at another version. */
export function continueAt(read: StreamRead, version: number): StreamRead {
  return read.direction === "backwards" ? { ...read, toVersion: version } : { ...read, fromVersion: version };
}

/** Validates a read. @throws RangeError for a page size or a version out of bounds. */
export function checkStreamRead({
  fromVersion,
  toVersion,
  pageSize = DEFAULT_PAGE,
  maxPageBytes,
}: StreamRead): void {
  checkMaxBytes(maxPageBytes);
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE) {
    throw new RangeError(`A page of a stream holds 1 to ${MAX_PAGE} events, not ${pageSize}.`);
  }
  for (const version of [fromVersion, toVersion]) {
    if (version !== undefined && !(Number.isSafeInteger(version) && version >= 0)) {
      throw new RangeError(`A stream version is a whole number, not ${version}.`);
    }
  }
}

/** Computes the range of versions of the first page of a read. */
export function firstPage(
  streamVersion: number,
  { fromVersion = 1, toVersion = streamVersion, pageSize = DEFAULT_PAGE, direction }: StreamRead,
): { readonly from: number; readonly to: number; readonly isLast: boolean } {
  const first = Math.max(1, fromVersion);
  const last = Math.min(streamVersion, toVersion);
  const isLast = last - first < pageSize;
  if (isLast) return { from: first, to: last, isLast };
  return direction === "backwards"
    ? { from: last - pageSize + 1, to: last, isLast }
    : { from: first, to: first + pageSize - 1, isLast };
}

/** Reads the first page of a read: a range of consecutive versions, limited by bytes. */
async function readPageOf(
  database: LogSessions,
  stream: StreamName,
  head: StreamRow,
  request: StreamRead,
): Promise<StreamPage> {
  const { from, to, isLast } = firstPage(head.version, request);
  if (from > to) return { events: [] };
  const { transaction, direction = "forwards", maxPageBytes: maxBytes = MAX_PAGE_BYTES } = request;
  const { events, isCut } = await readComplete(database, stream, {
    from,
    to,
    head,
    transaction,
    direction,
    maxBytes,
  });
  const step = direction === "backwards" ? -1 : 1;
  const last = isCut ? events.at(-1)?.streamVersion : direction === "backwards" ? from : to;
  return last === undefined || (isLast && !isCut) ? { events } : { events, nextVersion: last + step };
}
