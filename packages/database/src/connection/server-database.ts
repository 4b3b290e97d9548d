import { type CapabilityRow, capabilityQuery, readCapabilities } from "./capabilities.ts";
import { DatabaseUnavailableError } from "./database-errors.ts";
import { withConnection } from "./server-connection.ts";
import { createServerListener } from "./server-listener.ts";
import { openServerSessions, type ServerSessions } from "./server-sessions.ts";
import { asStartupOptions, serverSettings } from "./session-settings.ts";
import type { Database, DatabaseCapabilities } from "./sql-session.ts";
import { createStatementNames } from "./statement-names.ts";

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
  /**
   * Keep statements prepared, and settings for a connection's whole life. Turn off behind a pooler that gives out
   * connections by the transaction (PgBouncer in transaction mode): each transaction then begins with its settings.
   * Default true.
   */
  readonly preparedStatements?: boolean | undefined;
  /** What `pg_stat_activity` calls our connections. Default "synap". */
  readonly applicationName?: string | undefined;
}

/** How long running queries may take to finish when the database is closed, in milliseconds. */
const CLOSING_GRACE = 5_000;

/**
 * Connects to a server.
 * @throws DatabaseUnavailableError when it can't be reached.
 */
export async function openServerDatabase(options: ServerOptions): Promise<Database> {
  const { url } = options;
  const statementTimeout = options.statementTimeout ?? 30_000;
  const connectTimeout = options.connectTimeout ?? 5_000;
  const applicationName = options.applicationName ?? "synap";
  const isPrepared = options.preparedStatements ?? true;
  const scope = isPrepared ? "session" : "transaction";
  // A server that stops answering (a partition, a frozen machine) never closes the connection. The server's own
  // limit can't reach us then, so a little later we give up ourselves.
  const patience = statementTimeout + Math.min(5_000, statementTimeout);
  const ownerSettings = serverSettings(undefined, { statementTimeout: 0, idleInTransactionTimeout: 0 });
  const login = {
    url,
    connectTimeout,
    ...(isPrepared && { startupOptions: asStartupOptions(ownerSettings) }),
  };

  const openPool = (asRole: boolean): ServerSessions =>
    openServerSessions({
      url,
      applicationName,
      maxConnections: options.maxConnections ?? 10,
      idleTimeout: 0,
      connectTimeout,
      queueTimeout: patience,
      answerTimeout: patience,
      settings: serverSettings(asRole ? "synap_app" : undefined, {
        statementTimeout,
        // A transaction that nobody goes on with would hold the watermark back.
        idleInTransactionTimeout: Math.max(60_000, statementTimeout),
      }),
      scope,
      names: isPrepared ? createStatementNames() : undefined,
    });
  const owner = openServerSessions({
    url,
    applicationName: `${applicationName} owner`,
    maxConnections: 1,
    idleTimeout: 10_000,
    connectTimeout,
    // A migration takes as long as it takes, and so does waiting for one.
    queueTimeout: undefined,
    answerTimeout: undefined,
    settings: ownerSettings,
    scope,
    names: undefined,
  });
  const listener = createServerListener({ ...login, applicationName: `${applicationName} listen` }, patience);

  async function describe(): Promise<DatabaseCapabilities> {
    const { rows } = await withConnection(
      { ...login, applicationName: `${applicationName} owner` },
      (connection) => connection.run<CapabilityRow>({ text: capabilityQuery, parameters: [] }, patience),
    );
    const [row] = rows;
    if (row === undefined) throw new DatabaseUnavailableError("it did not describe itself");
    return readCapabilities(row, options.applicationRole ?? true);
  }

  let capabilities = await describe();
  let pool = openPool(capabilities.applicationRole);
  let closing: Promise<void> | undefined;
  return {
    engine: "server",
    get capabilities() {
      return capabilities;
    },
    get orm() {
      return pool.orm;
    },
    query: (text, parameters) => pool.query(text, parameters),
    transaction: (work) => pool.transaction(work),
    asOwner: (work) => owner.transaction(work),
    listen: (channel, onNotify) => listener.listen(channel, onNotify),
    failed: new Promise(() => {}),
    refresh: async () => {
      const before = capabilities.applicationRole;
      capabilities = await describe();
      if (capabilities.applicationRole === before) return;
      const old = pool;
      pool = openPool(capabilities.applicationRole);
      old.close(CLOSING_GRACE).catch(() => {});
    },
    close: () => {
      closing ??= Promise.all([listener.close(), pool.close(CLOSING_GRACE), owner.close(CLOSING_GRACE)]).then(
        () => {},
      );
      return closing;
    },
  };
}
