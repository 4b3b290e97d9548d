import type { QueryResult } from "pg";
import { isLockTimeout } from "../connection/database-errors.ts";
import { openOrm } from "../connection/orm.ts";
import {
  asLocalScript,
  asStartupOptions,
  RESET_SESSION,
  SETTLE_SESSION,
} from "../connection/session-settings.ts";
import { checkParameters } from "../connection/sql-parameters.ts";
import type { Orm, Sessions, SqlParameter, Statement, Transaction } from "../connection/sql-session.ts";
import { setTransaction, type TransactionMode } from "../connection/transaction-mode.ts";
import { runInScope } from "../connection/transaction-scope.ts";
import { openConnectionPool } from "./connection-pool.ts";
import type { ServerConnection } from "./server-connection.ts";
import { isStaleStatement, type StatementNames } from "./statement-names.ts";

export interface SessionsOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly maxConnections: number;
  /** Time for which an idle connection is kept, in milliseconds; 0: for its whole life. */
  readonly idleTimeout: number;
  /** Maximum time to connect, in milliseconds. */
  readonly connectTimeout: number;
  /** Maximum wait for a free connection, in milliseconds; undefined: no limit. */
  readonly queueTimeout: number | undefined;
  /** Maximum wait for an answer, in milliseconds; undefined: no limit. */
  readonly answerTimeout: number | undefined;
  /** The settings of every session. */
  readonly settings: Readonly<Record<string, string>>;
  /**
   * Scope of the settings. "session": when connecting. "transaction": at the start of each transaction, behind a pooler: it
   * accepts no startup options, and a setting of the session would leak to other clients.
   */
  readonly scope: "session" | "transaction";
  /** The names of prepared statements; undefined: statements are prepared each time. */
  readonly names: StatementNames | undefined;
  /** Transactions that can't write, for a standby. Default false. */
  readonly readOnly?: boolean;
}

/** Sessions of one kind on a server: all run as the same role, with the same settings. */
export interface ServerSessions extends Sessions {
  readonly orm: Orm;
  /** The numbers of used connections and of waiting users. */
  load(): { readonly busy: number; readonly waiting: number };
  /** Accepts no more work, lets running work finish for the given time in milliseconds, then cuts off the rest. */
  close(grace: number): Promise<void>;
}

export function openServerSessions(options: SessionsOptions): ServerSessions {
  const { settings, scope, names, answerTimeout, readOnly = false } = options;
  // The name, too: a RESET of the session reaches the pooler, which then forgets it.
  const local = asLocalScript({ ...settings, application_name: options.applicationName });
  // The transaction's mode must be set before any setting is made in it.
  const openingWith = (mode: TransactionMode | undefined) => {
    const set = setTransaction(mode);
    const modes = set === undefined ? "" : `; ${set}`;
    return scope === "session"
      ? `BEGIN${readOnly ? " READ ONLY" : ""}${modes}`
      : `BEGIN ISOLATION LEVEL READ COMMITTED READ ${readOnly ? "ONLY" : "WRITE"} NOT DEFERRABLE${modes}; ${local}`;
  };
  const opening = openingWith(undefined);
  const pool = openConnectionPool({
    ...options,
    ...(scope === "session" && { startupOptions: asStartupOptions(settings) }),
    settle: scope === "session" ? SETTLE_SESSION : undefined,
  });

  function prepare(text: string, parameters: readonly SqlParameter[]): Statement {
    return { text, parameters: checkParameters(parameters), name: names?.nameOf(text) };
  }

  async function run<Row extends object>(
    connection: ServerConnection,
    statement: Statement,
  ): Promise<QueryResult<Row>> {
    try {
      return await connection.run<Row>(statement, answerTimeout);
    } catch (error) {
      if (isStaleStatement(error)) names?.forget(statement.text);
      throw error;
    }
  }

  /** Runs a statement as a separate transaction. */
  function runAlone<Row extends object>(statement: Statement): Promise<QueryResult<Row>> {
    if (scope === "transaction") return pool.use((connection) => runPipelined<Row>(connection, statement));
    return pool.use(async (connection) => {
      try {
        return await run<Row>(connection, statement);
      } catch (error) {
        // The error is sent before the transaction has ended. A following query for locks must not find this transaction's.
        if (isLockTimeout(error)) await connection.script("SELECT", answerTimeout);
        throw error;
      }
    });
  }

  /**
   * Runs a transaction of one statement in one round trip. If its opening fails, the transaction is aborted and the statement refused;
   * if the statement fails, the COMMIT rolls back.
   */
  async function runPipelined<Row extends object>(
    connection: ServerConnection,
    statement: Statement,
  ): Promise<QueryResult<Row>> {
    const [opened, answered, ended] = await Promise.allSettled([
      connection.script(opening, answerTimeout),
      run<Row>(connection, statement),
      connection.script("COMMIT", answerTimeout),
    ]);
    if (opened.status === "rejected") throw opened.reason;
    if (answered.status === "rejected") throw answered.reason;
    if (ended.status === "rejected") throw ended.reason;
    requireCommit(ended.value);
    return answered.value;
  }

  async function query<Row extends object>(
    text: string,
    parameters: readonly SqlParameter[] = [],
  ): Promise<Row[]> {
    const statement = prepare(text, parameters);
    try {
      return (await runAlone<Row>(statement)).rows;
    } catch (error) {
      if (statement.name === undefined || !isStaleStatement(error)) throw error;
      return (await runAlone<Row>(prepare(text, parameters))).rows;
    }
  }

  /** Runs work in a new transaction: committed when it resolves, rolled back when it throws. */
  function begin<T>(work: (connection: ServerConnection) => Promise<T>, mode?: TransactionMode): Promise<T> {
    return pool.use(async (connection) => {
      await connection.script(mode === undefined ? opening : openingWith(mode), answerTimeout);
      let result: T;
      try {
        result = await work(connection);
      } catch (error) {
        await connection.script("ROLLBACK", answerTimeout).catch(() => connection.cutOff());
        throw error;
      }
      requireCommit(await connection.script("COMMIT", answerTimeout));
      return result;
    });
  }

  function transaction<T>(
    work: (transaction: Transaction) => Promise<T>,
    mode?: TransactionMode,
  ): Promise<T> {
    return begin((connection) => {
      // Counted before they are sent: savepoints may be made and ended side by side.
      let expected = connection.controls;
      return runInScope(
        {
          control: async (statements) => {
            expected += statements.length;
            await connection.script(statements.join("; "), answerTimeout);
          },
          isEnded: () => connection.controls > expected,
          query: async <Row extends object>(text: string, parameters: readonly SqlParameter[]) =>
            (await run<Row>(connection, prepare(text, parameters))).rows,
          execute: async (script) => {
            await connection.script(script, answerTimeout);
          },
          restore: async () => {
            await connection.script(RESET_SESSION, answerTimeout);
            if (scope === "session") await connection.script(SETTLE_SESSION, answerTimeout);
          },
        },
        (guard) => openOrm((statement) => guard(statement.text, () => run(connection, statement))),
        work,
      );
    }, mode);
  }

  return {
    query,
    transaction,
    orm: openOrm(runAlone, (work, mode) =>
      begin((connection) => work((statement) => run(connection, statement)), mode),
    ),
    load: () => pool.load(),
    close: (grace) => pool.close(grace),
  };
}

function requireCommit({ command }: QueryResult): void {
  if (command !== "COMMIT")
    throw new Error("PostgreSQL rolled the transaction back instead of committing it.");
}
