import { readProperty } from "@synap/types/internal";
import { isUnavailable, sqlState } from "../connection/database-errors.ts";
import type { Transaction } from "../connection/sql-session.ts";
import { MigrationFailedError, SignatureChangedError } from "./migration-errors.ts";
import type { MigrationFile } from "./migration-files.ts";
import type { AppliedFile } from "./migration-ledger.ts";

/** SQLSTATEs of a refused replacement: invalid_function_definition, invalid_table_definition, wrong_object_type. */
const NOT_REPLACEABLE: ReadonlySet<string> = new Set(["42P13", "42P16", "42809"]);

/**
 * Applies the files of functions and views, and drops those whose files are gone.
 *
 * @param fileName the name of a file in error messages
 * @throws SignatureChangedError when one can't be replaced, or would become an overload of the existing one
 * @throws MigrationFailedError for any other failure, for example when something depends on an object to drop
 */
export async function applyDefinitions(
  transaction: Transaction,
  fileName: (name: string) => string,
  definitions: readonly MigrationFile[],
  dropped: readonly AppliedFile[],
): Promise<void> {
  const before = await readDrops(transaction, [
    ...definitions.map(objectName),
    ...dropped.map(({ object }) => object ?? ""),
  ]);
  for (const file of definitions) {
    try {
      await run(transaction, fileName(file.name), file.sql);
    } catch (error) {
      const state = error instanceof MigrationFailedError ? sqlState(error.cause) : undefined;
      const statements = before.get(objectName(file));
      if (state === undefined || !NOT_REPLACEABLE.has(state) || statements === undefined) throw error;
      throw new SignatureChangedError(file.name, statements, { cause: error });
    }
  }
  const after = await readDrops(transaction, definitions.map(objectName));
  for (const file of definitions) {
    const statements = before.get(objectName(file));
    if (statements !== undefined && (after.get(objectName(file))?.length ?? 0) > 1) {
      throw new SignatureChangedError(file.name, statements);
    }
  }

  const drops = dropped.flatMap(({ object }) => before.get(object ?? "") ?? []);
  if (drops.length > 0)
    await run(transaction, dropped.map(({ name }) => fileName(name)).join(", "), dropAll(drops));
}

/** Orders drops by dependency: an object is dropped after its dependents, or not at all. */
function dropAll(statements: readonly string[]): string {
  return `
    DO $drop$
    DECLARE
      each    text;
      waiting text[] := ARRAY[${statements.map((each) => `'${each.replaceAll("'", "''")}'`).join(", ")}];
      needed  text[];
    BEGIN
      WHILE pg_catalog.cardinality(waiting) > 0 LOOP
        needed := '{}';
        FOREACH each IN ARRAY waiting LOOP
          BEGIN
            EXECUTE each;
          EXCEPTION WHEN dependent_objects_still_exist THEN
            needed := needed || each;
          END;
        END LOOP;
        IF needed = waiting THEN
          EXECUTE needed[1];
        END IF;
        waiting := needed;
      END LOOP;
    END
    $drop$`;
}

/** Runs a file's SQL. */
export async function run(transaction: Transaction, name: string, sql: string): Promise<void> {
  try {
    await transaction.execute(sql);
  } catch (error) {
    if (isUnavailable(error)) throw error;
    throw new MigrationFailedError(name, { cause: error, line: lineOf(error, sql) });
  }
}

/** The line at which the database found a fault. It counts characters from 1, without the halves of surrogate pairs. */
function lineOf(error: unknown, sql: string): number | undefined {
  const position = Number(readProperty(error, "position"));
  return position > 0
    ? [...sql].slice(0, position - 1).filter((each) => each === "\n").length + 1
    : undefined;
}

function objectName({ object }: MigrationFile): string {
  return object === undefined ? "" : `${object.schema}.${object.name}`;
}

/** Reads the statements that drop the objects with these names: several for an overloaded function. */
async function readDrops(
  transaction: Transaction,
  objects: readonly string[],
): Promise<Map<string, readonly string[]>> {
  const rows = await transaction.query<{ object: string; statement: string }>(
    `SELECT d.object, d.statement
       FROM (
         SELECT n.nspname || '.' || p.proname AS object,
                format('DROP %s %I.%I(%s)',
                       CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
                       n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS statement
           FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
         UNION ALL
         SELECT n.nspname || '.' || c.relname, format('DROP VIEW %I.%I', n.nspname, c.relname)
           FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
          WHERE c.relkind = 'v'
       ) AS d
      WHERE d.object IN (SELECT jsonb_array_elements_text($1::text::jsonb))
      ORDER BY d.statement`,
    [JSON.stringify(objects)],
  );
  const drops = new Map<string, string[]>();
  for (const { object, statement } of rows) drops.set(object, [...(drops.get(object) ?? []), statement]);
  return drops;
}
