import type { StoredEvent } from "@synap/types";
import type { ProjectionContext } from "./projection-context.ts";

/** How rows are made from events, one row for one thing. */
export interface RowFold<Row extends object> {
  /** One of the projection's tables, whose key is this one column. */
  readonly table: string;
  readonly key: keyof Row & string;
  /** All columns of the table. */
  readonly columns: readonly (keyof Row & string)[];
  /** Which row an event is about. */
  readonly keyOf: (event: StoredEvent) => string;
  /** The row after an event. Undefined: there is none. Times and dates are texts, as in JSON. */
  readonly evolve: (row: Row | undefined, event: StoredEvent) => Row | undefined;
}

/**
 * Applies a batch with at most three statements, whatever its size: reads the rows that it is about, lets `evolve` go
 * through the events in order, and writes what has changed.
 */
export async function foldRows<Row extends object>(
  events: readonly StoredEvent[],
  { transaction, table }: ProjectionContext,
  fold: RowFold<Row>,
): Promise<void> {
  const name = table(fold.table);
  const keys = [...new Set(events.map(fold.keyOf))];
  const found = await transaction.query<{ key: string; row: Row }>(
    `SELECT ${fold.key} AS key, to_jsonb(t) AS row FROM ${name} AS t
      WHERE ${fold.key} = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))`,
    [JSON.stringify(keys)],
  );
  const before = new Map(found.map(({ key, row }) => [key, row]));
  const after = new Map<string, Row | undefined>(before);
  for (const event of events) {
    const key = fold.keyOf(event);
    after.set(key, fold.evolve(after.get(key), event));
  }
  const changed = [...after].filter(([key, row]) => row !== undefined && row !== before.get(key));
  const gone = [...after].filter(([key, row]) => row === undefined && before.has(key)).map(([key]) => key);
  if (changed.length > 0) {
    const columns = fold.columns.join(", ");
    await transaction.query(
      `INSERT INTO ${name} (${columns})
       SELECT ${columns} FROM jsonb_populate_recordset(NULL::${name}, $1::text::jsonb)
       ON CONFLICT (${fold.key}) DO UPDATE
          SET (${columns}) = ROW(${fold.columns.map((column) => `excluded.${column}`).join(", ")})`,
      [JSON.stringify(changed.map(([, row]) => row))],
    );
  }
  if (gone.length > 0) {
    await transaction.query(
      `DELETE FROM ${name} WHERE ${fold.key} = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))`,
      [JSON.stringify(gone)],
    );
  }
}

/** A field of an event's data that is a text; null when it isn't there. */
export function textOf(event: StoredEvent, field: string): string | null {
  const value = event.data[field];
  return typeof value === "string" ? value : null;
}

/** A field of an event's data that is a number; null when it isn't there. */
export function numberOf(event: StoredEvent, field: string): number | null {
  const value = event.data[field];
  return typeof value === "number" ? value : null;
}
