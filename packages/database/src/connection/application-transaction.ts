import { type SQL, sql as text } from "drizzle-orm";
import { PgDatabase, PgSession } from "drizzle-orm/pg-core";
import { PostgresJsSession } from "drizzle-orm/postgres-js/session";
import type { Sql } from "postgres";
import { asDatabaseError, UnreadableValueError } from "./database-errors.ts";
import { dialect, relationalSchema } from "./orm.ts";
import { checkParameters } from "./sql-parameters.ts";
import type { Orm, SqlParameter, Transaction } from "./sql-session.ts";
import {
  createSavepointName,
  isSavepointGone,
  mayControl,
  refuseScriptControl,
  TransactionEndedError,
} from "./transaction-control.ts";
import { readerOf, writeParameter } from "./wire-types.ts";

/** The part of a drizzle transaction on PostgreSQL that is used, with any driver and any schema. */
export interface DrizzleTransaction {
  execute(query: SQL): PromiseLike<unknown>;
  transaction<T>(work: (transaction: DrizzleTransaction) => Promise<T>): Promise<T>;
  readonly _: { readonly session: unknown };
}

/** The part of a postgres.js transaction that is used, declared here so that only applications with the driver need its types. */
export interface PostgresTransaction {
  unsafe(
    query: string,
    parameters?: (string | null)[],
  ): {
    raw(): PromiseLike<Parameters<typeof readRawRows>[0]>;
    simple(): PromiseLike<unknown>;
  };
  savepoint(work: (transaction: PostgresTransaction) => Promise<void>): Promise<unknown>;
}

/**
 * Wraps the application's own drizzle transaction as a `Transaction`: events are appended if and when it commits. Its login
 * needs the role `synap_app` or its rights, and READ COMMITTED. `execute` accepts one statement at a time
 * with drivers that support no more.
 *
 * @example
 * await db.transaction(async (tx) => {
 *   await tx.insert(orders).values(order);
 *   await store.appendToStream(stream, 3, events, { transaction: transactionFromDrizzle(tx) });
 * });
 */
export function transactionFromDrizzle(transaction: DrizzleTransaction): Transaction {
  let orm: Orm | undefined;
  const execute: Execute = (statement) => transaction.execute(text.raw(statement));
  return {
    query: (query, parameters = []) =>
      guard(async () => {
        const run = () => transaction.execute(writeQuery(query, parameters));
        return readDriverRows(await runStatement(query, parameters, execute, run));
      }),
    execute: (script) =>
      guard(async () => {
        await runText(script, execute, () => execute(script));
      }),
    savepoint: (work) => transaction.transaction((inner) => work(transactionFromDrizzle(inner))),
    get orm() {
      const { session } = transaction._;
      if (!(session instanceof PgSession))
        throw new TypeError("The transaction is not one of drizzle on PostgreSQL.");
      orm ??= new PgDatabase(dialect, guarded(session, execute), relationalSchema);
      return orm;
    },
  };
}

/**
 * Wraps the application's own postgres.js transaction as a `Transaction`, like `transactionFromDrizzle`. A client that renames
 * columns (`transform`) can't be used.
 *
 * @example
 * await sql.begin(async (sql) => {
 *   await sql`INSERT INTO orders ${sql(order)}`;
 *   await store.appendToStream(stream, 3, events, { transaction: transactionFromPostgres(sql) });
 * });
 */
export function transactionFromPostgres(transaction: PostgresTransaction): Transaction {
  let orm: Orm | undefined;
  const execute: Execute = (statement) => transaction.unsafe(statement).simple();
  return {
    query: (query, parameters = []) =>
      guard(async () => {
        const values = checkParameters(parameters).map(writeParameter);
        // Raw values, as the server wrote them, independent of the application's type parsers.
        const run = () => transaction.unsafe(query, values).raw();
        return readRawRows(await runStatement(query, parameters, execute, run));
      }),
    execute: (script) =>
      guard(async () => {
        await runText(script, execute, () => execute(script));
      }),
    savepoint: async <T>(work: (inner: Transaction) => Promise<T>): Promise<T> => {
      const outcome: { value: T }[] = [];
      await transaction.savepoint(async (inner) => {
        outcome.push({ value: await work(transactionFromPostgres(inner)) });
      });
      const [result] = outcome;
      if (result === undefined) throw new Error("The savepoint ended without a result.");
      return result.value;
    },
    get orm() {
      if (orm === undefined) {
        // A transaction has no `end` and `begin`, which drizzle doesn't use on one.
        const client = transaction as PostgresTransaction & Sql;
        const session = new PostgresJsSession(client, dialect, relationalSchema);
        orm = new PgDatabase(dialect, guarded(session, execute), relationalSchema);
      }
      return orm;
    },
  };
}

/** Runs a statement without parameters on the application's transaction. */
type Execute = (statement: string) => PromiseLike<unknown>;

/**
 * Runs SQL text that may hold several statements, and detects that it ended the transaction, by a savepoint with an unguessable
 * name. Text that fails is undone as a whole.
 *
 * @throws TransactionControlError, TransactionEndedError
 */
async function runText<T>(text: string, execute: Execute, run: () => PromiseLike<T>): Promise<T> {
  refuseScriptControl(text);
  if (!mayControl(text)) return await run();
  const name = createSavepointName();
  await execute(`SAVEPOINT ${name}`);
  let result: T;
  try {
    result = await run();
  } catch (error) {
    await endSavepoint(execute, error, `ROLLBACK TO SAVEPOINT ${name}`, `RELEASE SAVEPOINT ${name}`);
    throw error;
  }
  await endSavepoint(execute, undefined, `RELEASE SAVEPOINT ${name}`);
  return result;
}

/** Runs a query. With parameters, the server takes one statement only, which can't hide another one. */
function runStatement<T>(
  query: string,
  parameters: readonly SqlParameter[],
  execute: Execute,
  run: () => PromiseLike<T>,
): PromiseLike<T> {
  if (parameters.length === 0) return runText(query, execute, run);
  refuseScriptControl(query);
  return run();
}

/** @throws TransactionEndedError if the savepoint is gone */
async function endSavepoint(execute: Execute, cause: unknown, ...statements: string[]): Promise<void> {
  try {
    for (const statement of statements) await execute(statement);
  } catch (error) {
    throw isSavepointGone(error) ? new TransactionEndedError(undefined, { cause: cause ?? error }) : error;
  }
}

/** A drizzle session whose statements can't end the transaction. Without parameters, drivers take several at once. */
function guarded<Session extends Pick<PgSession, "prepareQuery">>(
  session: Session,
  execute: Execute,
): Session {
  const prepareQuery: PgSession["prepareQuery"] = (query, ...rest) => {
    refuseScriptControl(query.sql);
    const prepared = session.prepareQuery(query, ...rest);
    if (query.params.length > 0 || !mayControl(query.sql)) return prepared;
    const run: typeof prepared.execute = (placeholders) =>
      runText(query.sql, execute, () => prepared.execute(placeholders));
    return Object.create(prepared, { execute: { value: run } });
  };
  return Object.create(session, { prepareQuery: { value: prepareQuery } });
}

/** The text with its numbered parameters, as drizzle takes it. */
function writeQuery(query: string, parameters: readonly SqlParameter[]): SQL {
  const values = checkParameters(parameters).map(writeParameter);
  const chunks = query.split(/\$(\d+)/).map((part, index) => {
    return index % 2 === 0 ? text.raw(part) : text`${values[Number(part) - 1]}`;
  });
  return text.join(chunks);
}

async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asDatabaseError(error);
  }
}

/** A column of a driver's result: postgres.js has them in `columns`, the others in `fields`. */
interface Column {
  readonly name: string;
  readonly type: number;
}

/**
 * Converts the rows of a result to the types of a session, independent of the application's type parsers: values that the
 * driver left as text are parsed here.
 */
export function readDriverRows<Row extends object>(result: unknown): Row[] {
  const columns = columnsOf(result);
  return rowsOf(result).map((row) => {
    const own: Record<string, unknown> = { ...row };
    for (const { name, type } of columns) own[name] = readValue(own[name], type);
    // The caller knows the row type of its statement, as with our own connections.
    return own as Row;
  });
}

/** Converts the rows of a postgres.js result with raw values. */
export function readRawRows<Row extends object>(
  result: readonly (readonly (Buffer | null)[])[] & { readonly columns?: unknown },
): Row[] {
  const columns = columnsOf(result);
  return result.map(
    (row) =>
      Object.fromEntries(
        columns.map(({ name, type }, index) => {
          const value = row[index] ?? null;
          return [name, value === null ? null : readerOf(type)(value.toString("utf8"))];
        }),
      ) as Row,
  );
}

function rowsOf(result: unknown): readonly object[] {
  const rows = Array.isArray(result) ? result : isRecord(result) ? result["rows"] : undefined;
  if (!Array.isArray(rows)) throw new TypeError("The driver's result has no readable rows.");
  return rows;
}

function columnsOf(result: unknown): readonly Column[] {
  if (!isRecord(result)) return [];
  const columns = result["columns"] ?? result["fields"];
  if (!Array.isArray(columns)) return [];
  return columns.filter(isRecord).map((column) => ({
    name: String(column["name"]),
    type: Number(column["type"] ?? column["dataTypeID"]),
  }));
}

function readValue(value: unknown, type: number): unknown {
  if (typeof value === "string") return readerOf(type)(value);
  if (value instanceof Date && Number.isNaN(value.valueOf()))
    throw new UnreadableValueError("moment", String(value));
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
