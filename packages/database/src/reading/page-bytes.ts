import type { StoredEvent } from "@synap/types";
import { EVENT_TEXT, readEventText } from "./event-row.ts";

/**
 * Maximum text of one read from the database, in bytes of its events' data and metadata as JSON. The event
 * that reaches the bound is included, so that a page is never empty because of it.
 */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** A row of `selectPage`: an event, or an empty text in the place of one that doesn't fit on the page. */
export interface PageRow {
  readonly event: string;
}

/** A row of `selectGuardedPage`. The event is null in the only row of an empty page. */
export interface GuardedRow {
  readonly event: string | null;
  readonly archived: string | null;
}

/** Validates a byte limit. @throws RangeError */
export function checkMaxBytes(maxBytes: number | undefined): void {
  if (maxBytes === undefined || (Number.isInteger(maxBytes) && maxBytes >= 1 && maxBytes <= MAX_PAGE_BYTES))
    return;
  throw new RangeError(`maxBytes must be 1 to ${MAX_PAGE_BYTES}, not ${maxBytes}.`);
}

/** Stored size in bytes above which the text of a JSON column is measured; that of compressed values always is. */
const SMALL_BYTES = 2_000;

// The text of a small, uncompressed value is about as long as its stored form, whose size is cheap to read.
const isLarge = (column: string) =>
  `pg_column_size(${column}) > ${SMALL_BYTES} OR pg_column_compression(${column}) IS NOT NULL`;

const BYTES_BEFORE = `
           coalesce(sum(pg_column_size(data)) OVER before, 0)
             + coalesce(synap.printed_bytes(data, metadata, BUDGET) FILTER (
                 WHERE ${isLarge("data")} OR metadata IS NOT NULL AND (${isLarge("metadata")})
               ) OVER before, 0) AS bytes_before`;

/**
 * Builds the SELECT of a page of events that ends with the event whose text reaches the budget. Later rows have no event and
 * cost nothing.
 *
 * @param rows a SELECT of whole rows of `synap.events`, with its LIMIT
 * @param order the ORDER BY of the rows
 * @param budget the parameter with the maximum number of bytes, for example `$4`
 */
export function selectPage(rows: string, order: string, budget: string): string {
  return `
SELECT CASE WHEN bytes_before < ${budget}::integer THEN ${EVENT_TEXT} ELSE '' END AS event
  FROM (
    SELECT *,${BYTES_BEFORE.replace("BUDGET", `${budget}::integer`)}
      FROM (${rows}) AS page
    WINDOW before AS (ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ) AS page
 ORDER BY ${order}`;
}

/**
 * As `selectPage`, with a value of the same snapshot: what is archived of the events that the page could have. It is in every row, and alone in
 * the row of an empty page.
 *
 * @param guard a SELECT of one text, null if nothing is archived
 */
export function selectGuardedPage(guard: string, rows: string, order: string, budget: string): string {
  // The rows keep their order: there is one row on the left.
  return `
SELECT guard.archived, page.event
  FROM (SELECT (${guard}) AS archived) AS guard
  LEFT JOIN (${selectPage(rows, order, budget)}) AS page ON true`;
}

/** Takes a page and what is archived apart. */
export function readGuarded(rows: readonly GuardedRow[]): {
  readonly rows: readonly PageRow[];
  readonly archived: string | undefined;
} {
  return {
    rows: rows.flatMap(({ event }) => (event === null ? [] : [{ event }])),
    archived: rows[0]?.archived ?? undefined,
  };
}

/** Columns that `selectBoundedRows` adds to a row. */
export interface BoundedRow {
  /** Number of rows before the page was cut. */
  readonly found: number;
  /** Size of the text of the rows before this one, in bytes. */
  readonly bytes_before: number;
}

/**
 * Builds the SELECT of a page of large rows of any kind, cut in the same way: rows after the one that reaches the budget are
 * neither sent nor printed. `isPageCut` checks for them.
 *
 * @param rows a SELECT with its LIMIT
 * @param order the ORDER BY of the rows
 * @param budget the parameter with the maximum number of bytes
 * @param measured the columns whose text is measured: one, or two of the same type
 */
export function selectBoundedRows(
  rows: string,
  order: string,
  budget: string,
  [one, other = "NULL"]: readonly [string, string?],
): string {
  return `
SELECT *
  FROM (
    SELECT *, count(*) OVER () AS found,
           coalesce(synap.printed_bytes(${one}, ${other}, ${budget}::integer) OVER before, 0) AS bytes_before
      FROM (${rows}) AS page
    WINDOW before AS (ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ) AS page
 WHERE bytes_before < ${budget}::integer
 ORDER BY ${order}`;
}

/** Checks that `selectBoundedRows` left out rows. */
export function isPageCut(rows: readonly BoundedRow[]): boolean {
  return rows.length < (rows[0]?.found ?? 0);
}

/** Events of a page. `isCut` is true if the byte limit left out further ones. */
export interface BoundedEvents {
  readonly events: readonly StoredEvent[];
  readonly isCut: boolean;
}

/** Parses the rows of a page. */
export function readPage(rows: readonly PageRow[]): BoundedEvents {
  const texts = rows.flatMap(({ event }) => (event === "" ? [] : event));
  return { events: texts.map(readEventText), isCut: texts.length < rows.length };
}

/** Cuts a page of the in-memory store as the database does. */
export function cutPage(events: readonly StoredEvent[], maxBytes = MAX_PAGE_BYTES): BoundedEvents {
  let bytes = 0;
  const end = events.findIndex(({ data, metadata }) => {
    if (bytes >= maxBytes) return true;
    bytes += Buffer.byteLength(JSON.stringify([data, metadata]));
    return false;
  });
  return end < 0 ? { events, isCut: false } : { events: events.slice(0, end), isCut: true };
}
