import type { Transaction } from "@synap/database";
import { schema } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import { didYouMean } from "@synap/types/internal";
import { getTableColumns } from "drizzle-orm";
import type { ProjectionContext } from "./projection-context.ts";

const { data: _data, metadata: _metadata, ...envelope } = getTableColumns(schema.events);

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : "";

/** A column of the events that a statement may read, named as in `synap.events`: that of any field but `data` and `metadata`. */
export type LogColumn = SnakeCase<Exclude<keyof StoredEvent, "data" | "metadata">>;

interface ColumnOfEvents {
  readonly type: string;
  readonly read: (event: StoredEvent) => unknown;
}

/** For each column its type, and where an event has it: the columns of the table are named as the fields of an event. */
const COLUMNS: ReadonlyMap<string, ColumnOfEvents> = new Map(
  keysOf(envelope).map((field) => [
    envelope[field].name,
    { type: envelope[field].getSQLType(), read: (event: StoredEvent) => event[field] },
  ]),
);

function keysOf<Columns extends object>(columns: Columns): (keyof Columns)[] {
  return Object.keys(columns) as (keyof Columns)[];
}

function columnOf(name: string): ColumnOfEvents {
  const column = COLUMNS.get(name);
  if (column === undefined) {
    throw new TypeError(`Events have no column "${name}"${didYouMean(name, COLUMNS.keys())}.`);
  }
  return column;
}

/**
 * A projection that is one SQL statement over its events, whose data it doesn't look into. The events then need not
 * leave the database: passes let the statement read them from the log.
 */
export interface LogStatement {
  /** The columns that the statement reads. */
  readonly columns: readonly LogColumn[];
  /** An INSERT that reads the relation `events`, without an order. `table` gives the full name of a table. */
  readonly write: (table: (name: string) => string) => string;
}

/** A stretch of the log: positions, and the bounds in time that go with them. */
export interface LogRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
  readonly from: Date;
  readonly to: Date;
}

/** Runs the statement over events that are here. */
export async function applyToEvents(
  events: readonly StoredEvent[],
  { transaction, table }: ProjectionContext,
  { columns, write }: LogStatement,
): Promise<void> {
  const chosen = columns.map((name) => ({ name, ...columnOf(name) }));
  const typed = chosen.map(({ name, type }) => `"${name}" ${type}`).join(", ");
  const rows = events.map((event) => Object.fromEntries(chosen.map(({ name, read }) => [name, read(event)])));
  await transaction.query(
    `WITH events AS (SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS e (${typed}))
     ${write(table)}`,
    [JSON.stringify(rows)],
  );
}

/**
 * Runs the statement over a stretch of the log, where it lies.
 *
 * @returns how many events there were
 */
export async function applyToLog(
  stretch: LogRange,
  types: readonly string[] | "all",
  { transaction, table }: { readonly transaction: Transaction; readonly table: (name: string) => string },
  { columns, write }: LogStatement,
): Promise<number> {
  const names = columns.map((name) => `"${name}"`).join(", ");
  // The list may be given several times, but is read once: that is what MATERIALIZED says.
  const [row] = await transaction.query<{ events: number }>(
    `WITH events AS MATERIALIZED (
       SELECT ${names}
         FROM synap.events
        WHERE "timestamp" BETWEEN $1 AND $2 AND "position" > $3 AND "position" <= $4
          AND ($5::text IS NULL OR type = ANY (ARRAY(SELECT jsonb_array_elements_text($5::text::jsonb))))
     ), applied AS (
       ${write(table)}
     )
     SELECT count(*) AS events FROM events`,
    [stretch.from, stretch.to, stretch.after, stretch.upTo, types === "all" ? null : JSON.stringify(types)],
  );
  return row?.events ?? 0;
}
