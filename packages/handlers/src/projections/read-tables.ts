import type { Transaction } from "@synap/database";
import { sqlState } from "@synap/database/internal";
import { hideOwnRows, showOwnRows } from "./own-row-views.ts";
import type { Projection } from "./projection.ts";
import type { ProjectionContext } from "./projection-context.ts";
import { ProjectionDefinitionError } from "./projection-errors.ts";
import type { ReadTable } from "./read-table.ts";

const SCHEMA = "synap_read";

/** The full name of a build's table, or of an as-of run's, whose suffix is a word. */
export function tableOf(table: string, suffix: number | string): string {
  return `${SCHEMA}.${table}_${suffix}`;
}

/** Creates the context that `apply` receives for one build. */
export function projectionContext(
  projection: Projection,
  suffix: number | string,
  transaction: Transaction,
): ProjectionContext {
  return {
    transaction,
    table: (name) => {
      if (!projection.tables.some((table) => table.name === name)) {
        throw new ProjectionDefinitionError(projection.name, `it has no table "${name}"`);
      }
      return tableOf(name, suffix);
    },
  };
}

/** The SQL that creates the tables; comparing it detects a changed version. */
export function tableScript(tables: readonly ReadTable[], suffix: number | string): string {
  return tables
    .flatMap((table) => {
      const name = tableOf(table.name, suffix);
      const indexes = (table.indexes ?? []).map((index) => `CREATE INDEX ON ${name} ${index};`);
      return [
        `CREATE TABLE ${name} (${table.columns}, PRIMARY KEY (${table.key.join(", ")}));`,
        `GRANT ALL ON ${name} TO synap_app;`,
        ...indexes,
      ];
    })
    .join("\n");
}

/** Creates the empty tables of a build. */
export async function createTables(
  transaction: Transaction,
  tables: readonly ReadTable[],
  suffix: number | string,
): Promise<void> {
  await transaction.execute(tableScript(tables, suffix));
}

/** Drops the tables of a build that no view shows any more. */
export async function dropTables(
  transaction: Transaction,
  names: readonly string[],
  build: number,
): Promise<void> {
  for (const name of names) await transaction.execute(`DROP TABLE IF EXISTS ${tableOf(name, build)};`);
}

/**
 * Switches the views to a build from the commit on, with those of the rows that users and actors own. A view of all rows keeps its
 * grants where its columns allow a replacement; otherwise it is dropped and created again.
 */
export async function showBuild(
  transaction: Transaction,
  tables: readonly ReadTable[],
  build: number,
  gone: readonly string[],
): Promise<void> {
  // They stand on the views below, and have their columns.
  await hideOwnRows(transaction, [...gone, ...tables.map(({ name }) => name)]);
  for (const name of gone) await transaction.execute(`DROP VIEW IF EXISTS ${SCHEMA}.${name};`);
  for (const { name } of tables) {
    const view = `VIEW ${SCHEMA}.${name} AS SELECT * FROM ${tableOf(name, build)}`;
    try {
      await transaction.savepoint((savepoint) => savepoint.execute(`CREATE OR REPLACE ${view};`));
    } catch (error) {
      // 42P16: other columns than before.
      if (sqlState(error) !== "42P16") throw error;
      await transaction.execute(`DROP VIEW ${SCHEMA}.${name}; CREATE ${view};`);
    }
    await transaction.execute(`GRANT SELECT ON ${SCHEMA}.${name} TO synap_app;`);
  }
  await showOwnRows(transaction, tables);
}

/** The names of the tables that a script creates. */
export function tablesIn(script: string): string[] {
  return [...script.matchAll(/CREATE TABLE synap_read\.([a-z0-9_]+)_0 /g)].flatMap((match) => match[1] ?? []);
}
