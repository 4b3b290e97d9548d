import { PgDatabase } from "drizzle-orm/pg-core";
import { PostgresJsSession } from "drizzle-orm/postgres-js";
import postgres, { type Sql, type TransactionSql } from "postgres";
import { type CapabilityRow, capabilityQuery, readCapabilities } from "./capabilities.ts";
import { asDatabaseError, DatabaseUnavailableError } from "./database-errors.ts";
import { dialect, relationalSchema } from "./relational-schema.ts";
import { createServerListener } from "./server-listener.ts";
import { checkParameters } from "./sql-parameters.ts";
import type { Database, DatabaseCapabilities, Orm, SqlParameter, Transaction } from "./sql-session.ts";
import { wireTypes } from "./wire-types.ts";

/** How to reach a PostgreSQL server with TimescaleDB. */
export interface ServerOptions {
  /** `postgres://user:password@host:port/database`. The login owns the schema; queries run as `synap_app`. */
  readonly url: string;
  /** Connections for queries at the most; migrations and listening use one more each. Default 10. */
  readonly maxConnections?: number | undefined;
  /** Run queries as the role `synap_app`, which can't change events. Default true. */
  readonly applicationRole?: boolean | undefined;
  /** Longest time a statement may take, in milliseconds, waiting for locks included. Default 30,000. */
  readonly statementTimeout?: number | undefined;
  /** Longest time to wait for a connection, in milliseconds. Default 5,000. */
  readonly connectTimeout?: number | undefined;
  /** Prepare statements. Turn off behind a pooler that gives out connections by the transaction. Default true. */
  readonly preparedStatements?: boolean | undefined;
  /** What `pg_stat_activity` calls our connections. Default "synap". */
  readonly applicationName?: string | undefined;
}

/**
 * Connects to a server.
 * @throws DatabaseUnavailableError when it can't be reached.
 */
export async function openServerDatabase(options: ServerOptions): Promise<Database> {
  const statementTimeout = options.statementTimeout ?? 30_000;
  const prepare = options.preparedStatements ?? true;
  // A server that stops answering (a partition, a frozen machine) never closes the connection. The server's own
  // limit can't reach us then, so a little later we give up ourselves.
  const patience = statementTimeout + Math.min(5_000, statementTimeout);
  const common = {
    types: wireTypes,
    onnotice: () => {},
    connect_timeout: Math.max(1, Math.ceil((options.connectTimeout ?? 5_000) / 1000)),
    // Seconds between attempts to connect while the server is away: it is found again at once when it is back.
    backoff: () => 0.25,
    keep_alive: 30,
    fetch_types: false,
    prepare,
  };
  const applicationName = options.applicationName ?? "synap";

  const connectPool = (asRole: boolean): Sql =>
    postgres(options.url, {
      ...common,
      max: options.maxConnections ?? 10,
      connection: {
        application_name: applicationName,
        default_transaction_isolation: "read committed",
        statement_timeout: statementTimeout,
        // A transaction that nobody goes on with would hold the watermark back.
        idle_in_transaction_session_timeout: Math.max(60_000, statementTimeout),
        // Plans over many chunks look costly and would be compiled, which takes longer than running them.
        jit: "off",
        // A statement with time bounds is planned for the one or two chunks it needs; a plan for any bounds is made for
        // all of them, half a second the first time with a thousand chunks, and slower to run.
        plan_cache_mode: "force_custom_plan",
        ...(asRole ? { role: "synap_app" } : {}),
      },
    });
  const owner = postgres(options.url, {
    ...common,
    max: 1,
    idle_timeout: 10,
    prepare: false,
    connection: {
      application_name: `${applicationName} owner`,
      default_transaction_isolation: "read committed",
    },
  });

  let capabilities: DatabaseCapabilities;
  let pool: Sql | undefined;
  let recycledAt = 0;
  const listener = createServerListener(options.url, {
    ...common,
    connection: { application_name: `${applicationName} listen` },
  });

  async function refresh(): Promise<void> {
    const [row] = await unavailable(withPatience(owner.unsafe<CapabilityRow[]>(capabilityQuery)));
    if (row === undefined) throw new DatabaseUnavailableError("it did not describe itself");
    const before = pool !== undefined && capabilities.applicationRole;
    capabilities = readCapabilities(row, options.applicationRole ?? true);
    if (pool !== undefined && before !== capabilities.applicationRole) replacePool(5);
  }

  function replacePool(timeout: number): void {
    const old = pool;
    pool = undefined;
    old?.end({ timeout }).catch(() => {});
  }

  function connected(): Sql {
    pool ??= connectPool(capabilities.applicationRole);
    return pool;
  }

  /** Gives up on a database that doesn't answer, and on the connections that wait for it. */
  async function withPatience<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new DatabaseUnavailableError(`no answer in ${patience} ms`));
        if (Date.now() - recycledAt < patience) return;
        recycledAt = Date.now();
        replacePool(0);
      }, patience);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function run<Row extends object>(
    sql: Sql | TransactionSql,
    text: string,
    parameters: readonly SqlParameter[],
  ): Promise<Row[]> {
    const query = sql.unsafe<Row[]>(text, checkParameters(parameters).map(wireValue), { prepare });
    return [...(await unavailable(withPatience(query)))];
  }

  function openTransaction(sql: TransactionSql): Transaction {
    let orm: Orm | undefined;
    const transaction: Transaction = {
      query: (text, parameters = []) => run(sql, text, parameters),
      execute: async (script) => {
        await unavailable(sql.unsafe(script).simple());
      },
      // The driver's own savepoint: it fails a transaction in which any other statement has failed, caught or not.
      savepoint: async (work) => {
        let result: { value: Awaited<ReturnType<typeof work>> } | undefined;
        await unavailable(
          sql.savepoint(async (open) => {
            result = { value: await work(openTransaction(open)) };
          }),
        );
        if (result === undefined) throw new DatabaseUnavailableError("the savepoint ended without a result");
        return result.value;
      },
      get orm() {
        orm ??= createOrm(sql);
        return orm;
      },
    };
    return transaction;
  }

  async function begin<T>(sql: Sql, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    let result: { value: T } | undefined;
    await unavailable(
      sql.begin(async (open) => {
        result = { value: await work(openTransaction(open)) };
      }),
    );
    if (result === undefined) throw new DatabaseUnavailableError("the transaction ended without a result");
    return result.value;
  }

  await refresh().catch(async (error: unknown) => {
    await owner.end({ timeout: 0 }).catch(() => {});
    throw error;
  });

  let orm: { of: Sql; value: Orm } | undefined;
  let closing: Promise<void> | undefined;
  return {
    engine: "server",
    get capabilities() {
      return capabilities;
    },
    get orm() {
      const sql = connected();
      if (orm?.of !== sql) orm = { of: sql, value: createOrm(sql) };
      return orm.value;
    },
    query: (text, parameters = []) => run(connected(), text, parameters),
    transaction: (work) => begin(connected(), work),
    asOwner: (work) => begin(owner, work),
    listen: (channel, onNotify) => listener.listen(channel, onNotify),
    failed: new Promise(() => {}),
    refresh,
    close: () => {
      closing ??= Promise.all([listener.close(), pool?.end({ timeout: 5 }), owner.end({ timeout: 5 })]).then(
        () => {},
      );
      return closing;
    },
  };
}

/** Drizzle with our tables on a postgres.js client or transaction. */
export function createOrm(sql: Sql | TransactionSql): Orm {
  // A transaction has no `end` and `begin`, which drizzle doesn't use on one.
  const session = new PostgresJsSession(sql as Sql, dialect, relationalSchema);
  return new PgDatabase(dialect, session, relationalSchema);
}

function wireValue(parameter: SqlParameter): string | number | boolean | Date | null {
  return typeof parameter === "bigint" ? parameter.toString() : parameter;
}

async function unavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw asDatabaseError(error);
  }
}
