import { sqlState } from "../connection/database-errors.ts";
import type { Database, Transaction } from "../connection/sql-session.ts";

/** Texts to look for in the database. */
export interface SoughtText {
  /** Its name for the result, which never has the texts themselves. */
  readonly name: string;
  /** Found where all texts of one of these lists are. */
  readonly anyOf: readonly (readonly string[])[];
}

/** A column that has a text. */
export interface FoundText {
  readonly name: string;
  /** Schema and name, quoted where SQL needs it. */
  readonly table: string;
  readonly column: string;
  readonly rows: number;
}

/** A table that was searched. */
export interface ScannedTable {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: number;
}

/** The result of a search of all tables. */
export interface TableScan {
  readonly scanned: readonly ScannedTable[];
  /** Tables that the login may not read. */
  readonly refused: readonly string[];
  readonly found: readonly FoundText[];
}

/** A progress of a search. */
export type OnScanProgress = (done: number, tables: number, table: string) => void;

interface SearchedTable {
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly isBytes: boolean }[];
}

// Every column that can hold text: also names, arrays, ranges, composite types and bytes. Chunks and partitions have the columns of the table
// that they belong to, which is searched itself; compressed chunks are read through it. Extensions' own tables are left out.
const TABLES = `
SELECT format('%I.%I', n.nspname, c.relname) AS table,
       json_agg(json_build_object(
         'name', quote_ident(a.attname),
         'isBytes', coalesce(nullif(t.typbasetype, 0), t.oid) = 'bytea'::regtype
       ) ORDER BY a.attnum) AS columns
  FROM pg_attribute AS a
  JOIN pg_class AS c ON c.oid = a.attrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_type AS t ON t.oid = a.atttypid
 WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
   AND c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
   AND NOT EXISTS (
     SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
   )
   AND a.attnum > 0 AND NOT a.attisdropped AND a.attinhcount = 0
   AND t.typname NOT IN ('compressed_data', 'uuid')
   AND t.typcategory NOT IN ('N', 'D', 'B', 'T')
 GROUP BY 1
 ORDER BY 1`;

// The planner keeps frequent values of columns.
const STATISTICS: SearchedTable = {
  table: "pg_catalog.pg_stats",
  columns: ["most_common_vals", "most_common_elems", "histogram_bounds"].map((name) => ({
    name,
    isBytes: false,
  })),
};

/** SQLSTATE of insufficient_privilege. */
const REFUSED = "42501";
/** SQLSTATEs of undefined_table and undefined_column: an old build of a projection was dropped meanwhile. */
const GONE: ReadonlySet<string> = new Set(["42P01", "42703"]);

/** Counts of one statement: a function of PostgreSQL has at most 100 arguments. */
const TOGETHER = 90;

/**
 * Searches all tables and materialized views of the database, of whichever schema, for texts. The letters A to Z are found in capitals and
 * in small ones. Each table is read in a transaction of its own.
 */
export async function scanTables(
  database: Database,
  sought: readonly SoughtText[],
  onProgress: OnScanProgress = () => {},
): Promise<TableScan> {
  const listed = await database.asOwner((owner) => owner.query<SearchedTable>(TABLES));
  const tables = [...listed, STATISTICS];
  const scanned: ScannedTable[] = [];
  const refused: string[] = [];
  const found: FoundText[] = [];
  for (const [index, table] of tables.entries()) {
    onProgress(index, tables.length, table.table);
    try {
      const result = await database.asOwner((owner) => scan(owner, table, sought));
      scanned.push({ table: table.table, columns: table.columns.map(({ name }) => name), rows: result.rows });
      found.push(...result.found);
    } catch (error) {
      const state = sqlState(error) ?? "";
      if (state === REFUSED) refused.push(table.table);
      else if (!GONE.has(state)) throw error;
    }
  }
  return { scanned, refused, found };
}

async function scan(
  owner: Transaction,
  { table, columns }: SearchedTable,
  sought: readonly SoughtText[],
): Promise<{ rows: number; found: FoundText[] }> {
  // Row-level security would hide rows; without it the login is refused instead.
  await owner.execute("SET LOCAL row_security = off");
  const parameters: string[] = [];
  const conditions = sought.map(({ name, anyOf }) => {
    const places = anyOf.map((texts) => texts.map((text) => `$${parameters.push(text)}::text`));
    return { name, places };
  });
  const searched = columns.flatMap((column) => conditions.map((condition) => ({ column, ...condition })));
  let rows = 0;
  const found: FoundText[] = [];
  for (let from = 0; from < Math.max(searched.length, 1); from += TOGETHER) {
    const part = searched.slice(from, from + TOGETHER);
    const counts = part.map(({ column, places }) => {
      const any = places.map((texts) => texts.map((text) => has(column, text)).join(" AND "));
      return `count(*) FILTER (WHERE ${any.join(" OR ")})`;
    });
    const [row] = await owner.query<{ counts: readonly number[] }>(
      `SELECT json_build_array(${["count(*)", ...counts].join(", ")}) AS counts FROM ${table}`,
      part.length === 0 ? [] : parameters,
    );
    const [all = 0, ...each] = row?.counts ?? [];
    rows = all;
    for (const [index, { name, column }] of part.entries()) {
      const many = each[index] ?? 0;
      if (many > 0) found.push({ name, table, column: column.name, rows: many });
    }
  }
  return { rows, found };
}

// The collation "C" changes the letters A to Z alone, and compares bytes.
function has({ name, isBytes }: SearchedTable["columns"][number], text: string): string {
  return isBytes
    ? `position(convert_to(${text}, 'UTF8') IN ${name}) > 0`
    : `strpos(lower(${name}::text COLLATE "C"), lower(${text} COLLATE "C")) > 0`;
}
