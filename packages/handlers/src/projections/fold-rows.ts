import type { StoredEvent } from "@synap/types";
import { deepFreeze, frozenCopy } from "@synap/types/internal";
import type { ProjectionContext } from "./projection-context.ts";
import type { TableColumns } from "./read-table.ts";

type Row = object;

/** The fold of events into the rows of one table, one row per key. */
export interface RowFold {
  /** One of the projection's tables. */
  readonly table: string;
  readonly columns: TableColumns;
  /** Returns the key of an event's row. */
  readonly keyOf: (event: StoredEvent) => string;
  /** Returns the row after an event; undefined to delete it. */
  readonly evolve: (row: Row | undefined, event: StoredEvent) => Row | undefined;
}

/**
 * Applies a batch of any size with at most three statements: reads its rows, lets `evolve` go
 * through the events in order, and writes what has changed: the rows that are other objects than before. Rows are frozen,
 * because one that `evolve` has written into would be the same object, and would not be written.
 */
export async function foldRows(
  events: readonly StoredEvent[],
  { transaction, table }: ProjectionContext,
  { table: tableName, columns, keyOf, evolve }: RowFold,
): Promise<void> {
  const name = table(tableName);
  const key = `"${columns.key}"`;
  const keys = [...new Set(events.map(keyOf))];
  const found = await transaction.query<{ key: string; row: Record<string, unknown> }>(
    `SELECT ${key}::text AS key, to_jsonb(t) AS row FROM ${name} AS t
      WHERE ${key} = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))`,
    [JSON.stringify(keys)],
  );
  const before = new Map(found.map(({ key, row }) => [key, deepFreeze(fromSql(row, columns))]));
  const after = new Map<string, Row | undefined>(before);
  for (const event of events) {
    const key = keyOf(event);
    const row = after.get(key);
    const next = evolve(row, event);
    after.set(key, next === row ? row : frozenCopy(next));
  }
  const changed = [...after].flatMap(([key, row]) =>
    row === undefined || row === before.get(key) ? [] : [row],
  );
  const gone = [...after].filter(([key, row]) => row === undefined && before.has(key)).map(([key]) => key);
  if (changed.length > 0) {
    const sqlNames = Object.values(columns.sqlNames).map((column) => `"${column}"`);
    const list = sqlNames.join(", ");
    await transaction.query(
      `INSERT INTO ${name} (${list})
       SELECT ${list} FROM jsonb_populate_recordset(NULL::${name}, $1::text::jsonb)
       ON CONFLICT (${key}) DO UPDATE
          SET (${list}) = ROW(${sqlNames.map((column) => `excluded.${column}`).join(", ")})`,
      [JSON.stringify(changed.map((row) => toSql(row, columns)))],
    );
  }
  if (gone.length > 0) {
    await transaction.query(
      `DELETE FROM ${name} WHERE ${key} = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))`,
      [JSON.stringify(gone)],
    );
  }
}

function fromSql(row: Record<string, unknown>, { sqlNames, read }: TableColumns): Row {
  return Object.fromEntries(
    Object.entries(sqlNames).map(([name, column]) => [name, read(name, row[column])]),
  );
}

function toSql(row: Row, { sqlNames }: TableColumns): Row {
  return Object.fromEntries(
    Object.entries(row).flatMap(([name, value]) => {
      const column = sqlNames[name];
      return column === undefined ? [] : [[column, value]];
    }),
  );
}
