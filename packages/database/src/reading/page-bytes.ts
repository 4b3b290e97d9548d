import type { StoredEvent } from "@synap/types";
import { EVENT_TEXT, readEventText } from "./event-row.ts";

/**
 * Maximum text of one read from the database, in bytes of its events' data and metadata as JSON. The event
 * that reaches the bound is included, so that a page is never empty because of it.
 */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** A row of `selectPage`: an event, or a placeholder for one that doesn't fit on the page. */
export interface PageRow {
  readonly event: string | null;
}

/** @throws RangeError when the bound on bytes is invalid. */
export function checkMaxBytes(maxBytes: number | undefined): void {
  if (maxBytes === undefined || (Number.isInteger(maxBytes) && maxBytes >= 1 && maxBytes <= MAX_PAGE_BYTES))
    return;
  throw new RangeError(`maxBytes must be 1 to ${MAX_PAGE_BYTES}, not ${maxBytes}.`);
}

/** A column's JSON is measured by its text when it is longer than this, or compressed. */
const SMALL_BYTES = 2_000;

// A value that is small and not compressed becomes about as much text as it has bytes, which cost nothing to look up.
const isLarge = (column: string) =>
  `pg_column_size(${column}) > ${SMALL_BYTES} OR pg_column_compression(${column}) IS NOT NULL`;

const BYTES_BEFORE = `
           coalesce(sum(pg_column_size(data)) OVER before, 0)
             + coalesce(synap.printed_bytes(data, metadata, BUDGET) FILTER (
                 WHERE ${isLarge("data")} OR metadata IS NOT NULL AND (${isLarge("metadata")})
               ) OVER before, 0) AS bytes_before`;

/**
 * The SELECT of a page of events that ends where its text becomes too large, inside the database: behind that, rows have
 * no event and cost nothing.
 *
 * @param rows a SELECT of whole rows of `synap.events`, with its LIMIT
 * @param order by which they are sorted
 * @param budget the parameter that holds the most bytes, for example `$4`
 */
export function selectPage(rows: string, order: string, budget: string): string {
  return `
SELECT CASE WHEN bytes_before < ${budget}::integer THEN ${EVENT_TEXT} END AS event
  FROM (
    SELECT *,${BYTES_BEFORE.replace("BUDGET", `${budget}::integer`)}
      FROM (${rows}) AS page
    WINDOW before AS (ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ) AS page
 ORDER BY ${order}`;
}

/** A row as `selectWithin` selects it. */
export interface RowWithin {
  /** How many rows there were before the page was cut. */
  readonly found: number;
  /** How much text the rows before this one are. */
  readonly bytes_before: number;
}

/**
 * The SELECT of rows that are no events and may be large, cut in the same way: what comes behind the row that reaches
 * the budget is not sent, and its text is not even made. `isPageCut` says whether rows were left out.
 *
 * @param rows a SELECT with its LIMIT
 * @param order by which they are sorted
 * @param budget the parameter that holds the most bytes
 * @param measured the columns whose text is counted: one, or two of one type
 */
export function selectWithin(
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

/** Whether there are more rows than `selectWithin` had room for. */
export function isPageCut(rows: readonly RowWithin[]): boolean {
  return rows.length < (rows[0]?.found ?? 0);
}

/** The events of a page, and whether there are more rows for which it had no room. */
export interface EventsWithin {
  readonly events: readonly StoredEvent[];
  readonly isCut: boolean;
}

/** Reads the rows of a page. */
export function readPage(rows: readonly PageRow[]): EventsWithin {
  const texts = rows.flatMap(({ event }) => event ?? []);
  return { events: texts.map(readEventText), isCut: texts.length < rows.length };
}

/** Events of a store in memory, cut as the database cuts a page. */
export function cutPage(events: readonly StoredEvent[], maxBytes = MAX_PAGE_BYTES): EventsWithin {
  let bytes = 0;
  const end = events.findIndex(({ data, metadata }) => {
    if (bytes >= maxBytes) return true;
    bytes += Buffer.byteLength(JSON.stringify([data, metadata]));
    return false;
  });
  return end < 0 ? { events, isCut: false } : { events: events.slice(0, end), isCut: true };
}
