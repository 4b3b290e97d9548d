import type { Transaction } from "@synap/database";
import { schema } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import { didYouMean } from "@synap/types/internal";
import { getTableColumns } from "drizzle-orm";
import type { ProjectionContext } from "./projection-context.ts";

// schema_version goes with the data, and is the one that was written, not the one that code gets.
const {
  data: _data,
  metadata: _metadata,
  schemaVersion: _version,
  ...envelope
} = getTableColumns(schema.events);

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : "";

/** A column that a statement may read, named as in `synap.events`: of any field except `data`, its version and `metadata`. */
export type LogColumn = SnakeCase<Exclude<keyof StoredEvent, "data" | "schemaVersion" | "metadata">>;

interface ColumnOfEvents {
  readonly type: string;
  readonly read: (event: StoredEvent) => unknown;
}

/** The type of each column and the field of the event it holds, in snake case. */
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
 * A projection that is one SQL statement over its events and doesn't read their data, so that the events need not
 * leave the database: the statement reads them from the log.
 */
export interface LogStatement {
  /** Columns that the statement reads. */
  readonly columns: readonly LogColumn[];
  /** An INSERT that reads the unordered relation `events`. `table` returns the full name of a table. */
  readonly write: (table: (name: string) => string) => string;
}

/** A range of the log: positions, and the matching bounds in time. */
export interface LogRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
  readonly from: Date;
  readonly to: Date;
}

/** Runs the statement over events in memory. */
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
 * Runs the statement over a range of the log, inside the database.
 *
 * @returns the number of events
 */
export async function applyInDatabase(
  range: LogRange,
  types: readonly string[] | "all",
  { transaction, table }: { readonly transaction: Transaction; readonly table: (name: string) => string },
  { columns, write }: LogStatement,
): Promise<number> {
  const names = columns.map((name) => `"${name}"`).join(", ");
  // MATERIALIZED: the statement may refer to the events several times, but they are read once.
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
    [range.from, range.to, range.after, range.upTo, types === "all" ? null : JSON.stringify(types)],
  );
  return row?.events ?? 0;
}
