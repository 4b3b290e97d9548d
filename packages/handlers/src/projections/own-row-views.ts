import type { SqlSession, Transaction } from "@synap/database";
import { OWN_ROWS_SCHEMAS } from "@synap/database/internal";
import type { ReadTable, RowOwner } from "./read-table.ts";

/** A view that an owner column asks for, or that none asks for any more. */
interface OwnRowsView {
  readonly name: string;
  /** The rows that it shows, in words: its comment in the database. Undefined if it must not be there. */
  readonly shows: string | undefined;
  readonly column: string | undefined;
  readonly table: string;
}

const PRESENT = `
SELECT obj_description(to_regclass($1), 'pg_class') AS shows, to_regclass($1) IS NOT NULL AS "isThere"`;

/**
 * Brings the views of users' and actors' own rows over these tables up to date: one for each owner column, and none without it. The
 * views of `synap_read` must be there.
 */
export async function showOwnRows(transaction: Transaction, tables: readonly ReadTable[]): Promise<void> {
  for (const view of tables.flatMap(viewsOf)) {
    const [present] = await transaction.query<{ shows: string | null; isThere: boolean }>(PRESENT, [
      view.name,
    ]);
    // A view that is right is left alone, because to change it would wait for its readers.
    if (present?.isThere === (view.shows !== undefined) && present.shows === (view.shows ?? null)) continue;
    await transaction.execute(`DROP VIEW IF EXISTS ${view.name};`);
    if (view.shows !== undefined) await transaction.execute(await scriptOf(transaction, view));
  }
}

/** Drops the views of own rows over tables, by their names. */
export async function hideOwnRows(transaction: Transaction, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    for (const schema of Object.values(OWN_ROWS_SCHEMAS)) {
      await transaction.execute(`DROP VIEW IF EXISTS ${schema}.${table};`);
    }
  }
}

function viewsOf({ name: table, owner = {} }: ReadTable): OwnRowsView[] {
  return (["userId", "createdBy"] as const).map((by) => {
    const column = owner[by];
    const shows =
      column === undefined
        ? undefined
        : `The rows of synap_read.${table} with the reader's ${by} in ${column}.`;
    return { name: `${OWN_ROWS_SCHEMAS[by]}.${table}`, column, shows, table };
  });
}

/**
 * Shows a past table of a run to a caller, in a view that goes with the transaction: his own rows, or all.
 *
 * @returns the view's name; undefined when the table has no owner of this kind
 */
export async function showPastRows(
  transaction: Transaction,
  {
    table,
    suffix,
    by,
  }: { readonly table: ReadTable; readonly suffix: string; readonly by: keyof RowOwner | "all" },
): Promise<string | undefined> {
  const column = by === "all" ? undefined : table.owner?.[by];
  if (by !== "all" && column === undefined) return undefined;
  const name = `${table.name}_${suffix}`;
  const view = { name: `${OWN_ROWS_SCHEMAS.userId}.${name}`, table: name, column, shows: "The past." };
  await transaction.execute(await scriptOf(transaction, view));
  return view.name;
}

/** The value of the reader is compared as in the views over the log: read once for each statement, so that an index serves. */
async function scriptOf(session: SqlSession, { name, column, shows, table }: OwnRowsView): Promise<string> {
  const [role] = await session.query("SELECT FROM pg_roles WHERE rolname = 'synap_reader'");
  return `
CREATE VIEW ${name} WITH (security_barrier) AS
SELECT t.*
  FROM synap_read.${table} AS t
 ${column === undefined ? "" : `WHERE t."${column}" = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), ''))`};
COMMENT ON VIEW ${name} IS '${shows?.replaceAll("'", "''")}';
${role === undefined ? "" : `GRANT SELECT ON ${name} TO synap_reader;`}`;
}
