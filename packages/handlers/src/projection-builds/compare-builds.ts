import type { SqlSession } from "@synap/database";
import type { ReadTable } from "../projections/read-table.ts";
import { tableOf } from "../projections/read-tables.ts";

/** The differences between two builds of one table. */
export interface TableDifference {
  readonly table: string;
  readonly onlyInOld: number;
  readonly onlyInNew: number;
  /** Number of rows in both builds whose shared columns differ. */
  readonly different: number;
  /** Columns of only one build, which were not compared. */
  readonly columnsNotCompared: readonly string[];
  /** Keys of a few differing rows, as JSON. */
  readonly examples: readonly string[];
}

const COLUMNS = `
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
  FROM pg_attribute AS a
 WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum`;

const EXAMPLES = 10;

/** Compares the rows of two builds, matched by the table's key, in every column that both have. */
export async function compareTables(
  session: SqlSession,
  table: ReadTable,
  old: number,
  fresh: number,
): Promise<TableDifference> {
  const columns = (name: string) => session.query<{ name: string; type: string }>(COLUMNS, [name]);
  const [oldName, newName] = [tableOf(table.name, old), tableOf(table.name, fresh)];
  const oldColumns = await columns(oldName);
  const newColumns = await columns(newName);
  const both = oldColumns.filter(({ name, type }) =>
    newColumns.some((other) => other.name === name && other.type === type),
  );
  const compared = new Set(both.map(({ name }) => name));
  const columnsNotCompared = [...oldColumns, ...newColumns]
    .map(({ name }) => name)
    .filter((name, index, all) => !compared.has(name) && all.indexOf(name) === index);
  if (!table.key.every((column) => compared.has(column))) {
    return {
      table: table.name,
      onlyInOld: oldColumns.length === 0 ? 0 : await countRows(session, oldName),
      onlyInNew: newColumns.length === 0 ? 0 : await countRows(session, newName),
      different: 0,
      columnsNotCompared,
      examples: [],
    };
  }
  const key = table.key.join(", ");
  const content = `ROW(${both.map(({ name }) => `"${name}"`).join(", ")})::text AS content`;
  const differing = `
    SELECT ${key}, o.content AS old, n.content AS new
      FROM (SELECT ${key}, ${content} FROM ${oldName}) AS o
      FULL JOIN (SELECT ${key}, ${content} FROM ${newName}) AS n USING (${key})
     WHERE o.content IS DISTINCT FROM n.content`;
  const [row] = await session.query<{
    only_old: number;
    only_new: number;
    different: number;
    examples: string[];
  }>(`
    WITH differing AS (${differing})
    SELECT count(*) FILTER (WHERE new IS NULL) AS only_old, count(*) FILTER (WHERE old IS NULL) AS only_new,
           count(*) FILTER (WHERE old IS NOT NULL AND new IS NOT NULL) AS different,
           (SELECT coalesce(json_agg(e.key), '[]') FROM (
              SELECT json_build_array(${key})::text AS key FROM differing LIMIT ${EXAMPLES}) AS e) AS examples
      FROM differing`);
  return {
    table: table.name,
    onlyInOld: row?.only_old ?? 0,
    onlyInNew: row?.only_new ?? 0,
    different: row?.different ?? 0,
    columnsNotCompared,
    examples: row?.examples ?? [],
  };
}

async function countRows(session: SqlSession, table: string): Promise<number> {
  const [row] = await session.query<{ rows: number }>(`SELECT count(*) AS rows FROM ${table}`);
  return row?.rows ?? 0;
}

/** Total number of differing rows over all tables. */
export function totalDifference(differences: readonly TableDifference[]): number {
  return differences.reduce((sum, each) => sum + each.onlyInOld + each.onlyInNew + each.different, 0);
}
