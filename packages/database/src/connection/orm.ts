import { createTableRelationsHelpers, extractTablesRelationalConfig } from "drizzle-orm";
import type { NodePgClient } from "drizzle-orm/node-postgres";
import { NodePgSession, NodePgTransaction } from "drizzle-orm/node-postgres/session";
import { PgDatabase, PgDialect, type PgTransactionConfig } from "drizzle-orm/pg-core";
import { schema } from "../schema/index.ts";
import { checkTexts } from "./sql-parameters.ts";
import type { Orm, SqlParameter, Statement } from "./sql-session.ts";
import type { TransactionMode } from "./transaction-mode.ts";
import { readerOf, TYPE } from "./wire-types.ts";

const tables = extractTablesRelationalConfig<typeof relationalTypes>(schema, createTableRelationsHelpers);
declare const relationalTypes: import("drizzle-orm").ExtractTablesWithRelations<typeof schema>;

/** Drizzle's SQL dialect for PostgreSQL, shared by both drivers. */
export const dialect: PgDialect = new PgDialect();

/** The schema of our tables for drizzle's relational queries. */
export const relationalSchema = {
  fullSchema: schema,
  schema: tables.tables,
  tableNamesMap: tables.tableNamesMap,
};

/** The part of a driver's result that drizzle reads, or returns to its caller. */
interface DriverResult {
  readonly rows: readonly unknown[];
  readonly rowCount: number | null;
}

/** Runs a statement of drizzle's. */
export type RunStatement = (statement: Statement) => Promise<DriverResult>;

/** Runs work in a new transaction of this mode, for drizzle's `transaction`. */
export type BeginForOrm = <T>(
  work: (run: RunStatement) => Promise<T>,
  mode: TransactionMode | undefined,
) => Promise<T>;

/** Opens drizzle on the store's sessions, or on a transaction, in which no other can begin. */
export function openOrm(run: RunStatement, begin?: BeginForOrm): Orm {
  return new PgDatabase(dialect, new OrmSession(run, begin), relationalSchema);
}

/** Returns the runner of the statements of an orm that `openOrm` opened. @throws TypeError for one that it didn't */
export function runnerOf({ _: { session } }: Orm): RunStatement {
  if (!(session instanceof OrmSession)) throw new TypeError("The orm is not one of the store's sessions.");
  return session.run;
}

type FullSchema = typeof relationalSchema.fullSchema;
type Tables = typeof relationalSchema.schema;

class OrmSession extends NodePgSession<FullSchema, Tables> {
  readonly run: RunStatement;
  readonly #begin: BeginForOrm | undefined;

  constructor(run: RunStatement, begin: BeginForOrm | undefined) {
    super(asClient(run), dialect, relationalSchema);
    this.run = run;
    this.#begin = begin;
  }

  override transaction<T>(
    work: (transaction: NodePgTransaction<FullSchema, Tables>) => Promise<T>,
    config?: PgTransactionConfig,
  ): Promise<T> {
    if (this.#begin === undefined) throw new Error("Transactions can't be nested: use a savepoint.");
    return this.#begin((run) => {
      const session = new OrmSession(run, undefined);
      return work(new NodePgTransaction<FullSchema, Tables>(dialect, session, relationalSchema));
    }, config);
  }
}

/** Presents the runner as drizzle's driver, of which it uses one method. */
function asClient(run: RunStatement): NodePgClient {
  const client = {
    query: async (
      { text, rowMode, name }: { text: string; rowMode?: "array"; name?: string },
      parameters: SqlParameter[],
    ) => {
      checkTexts(parameters);
      return run({ text, parameters, rowMode, name, readerOf: readerForOrm });
    },
  };
  // Drizzle names the classes of its driver as its client, and calls this one method of them.
  return client as unknown as NodePgClient;
}

/** Types that drizzle parses itself: a JSON string that was parsed before would be parsed again. */
export const READ_BY_DRIZZLE: ReadonlySet<number> = new Set([
  TYPE.date,
  TYPE.timestamp,
  TYPE.timestamptz,
  TYPE.json,
  TYPE.jsonb,
]);

function readerForOrm(type: number): (text: string) => unknown {
  return READ_BY_DRIZZLE.has(type) ? (text) => text : readerOf(type);
}
