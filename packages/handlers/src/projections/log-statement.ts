import type { Transaction } from "@synap/database";
import type { StoredEvent } from "@synap/types";
import type { ProjectionContext } from "./projection-context.ts";

/** What there is of each column: its type, and where an event has it. */
const COLUMNS = {
  position: { type: "bigint", read: (event: StoredEvent) => event.position },
  timestamp: { type: "timestamptz", read: (event: StoredEvent) => event.timestamp },
  recorded_at: { type: "timestamptz", read: (event: StoredEvent) => event.recordedAt },
  id: { type: "uuid", read: (event: StoredEvent) => event.id },
  causation_id: { type: "uuid", read: (event: StoredEvent) => event.causationId },
  type: { type: "text", read: (event: StoredEvent) => event.type },
  aggregate_type: { type: "text", read: (event: StoredEvent) => event.aggregateType },
  aggregate_id: { type: "text", read: (event: StoredEvent) => event.aggregateId },
  user_id: { type: "text", read: (event: StoredEvent) => event.userId },
  created_by: { type: "text", read: (event: StoredEvent) => event.createdBy },
  source: { type: "text", read: (event: StoredEvent) => event.source },
  request_id: { type: "text", read: (event: StoredEvent) => event.requestId },
  correlation_id: { type: "text", read: (event: StoredEvent) => event.correlationId },
} as const;

/** A column of the events that a statement may read, named as in `synap.events`. */
export type LogColumn = keyof typeof COLUMNS;

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
export interface LogStretch {
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
  const typed = columns.map((name) => `"${name}" ${COLUMNS[name].type}`).join(", ");
  const rows = events.map((event) =>
    Object.fromEntries(columns.map((name) => [name, COLUMNS[name].read(event)])),
  );
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
  stretch: LogStretch,
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
