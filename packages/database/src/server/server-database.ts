import { readCapabilities } from "../connection/capabilities.ts";
import { createLockWaits } from "../connection/lock-waits.ts";
import { asStartupOptions, serverSettings } from "../connection/session-settings.ts";
import type { Database, DatabaseCapabilities } from "../connection/sql-session.ts";
import { explainRefusal, readDatabaseUrl, type UrlSetting } from "./database-url.ts";
import { DirectUrlError, DirectUrlMissingError } from "./pooler-errors.ts";
import {
  type DescribedConnection,
  identifyDatabase,
  identifyServer,
  type ServerIdentity,
} from "./server-identity.ts";
import { createServerListener } from "./server-listener.ts";
import { openServerSessions, type ServerSessions } from "./server-sessions.ts";
import { createStatementNames } from "./statement-names.ts";

/** Options for a PostgreSQL server with TimescaleDB. */
export interface ServerOptions {
  /**
   * `postgres://user:password@host:port/database`. The login owns the schema; queries run as `synap_app`. It may lead through a
   * pooler in transaction mode (PgBouncer), which is detected: each transaction then begins with its settings, and no statement is
   * prepared under a name.
   */
  readonly url: string;
  /** The same database past the pooler, for LISTEN and for work as the owner. Needed if `url` leads through one. */
  readonly directUrl?: string | undefined;
  /**
   * Maximum number of connections for queries; migrations and listening use one more each. Two fifths of them, at least one,
   * are reserved for reading, the rest is for writing; a single one does both. Default 10.
   */
  readonly maxConnections?: number | undefined;
  /** Run queries as the role `synap_app`, which can't change events. Default true. */
  readonly applicationRole?: boolean | undefined;
  /** Maximum duration of a statement in milliseconds, including lock waits. Default 30,000. */
  readonly statementTimeout?: number | undefined;
  /**
   * Maximum wait in milliseconds for a lock of another session, mostly that on a stream's row.
   * Default 5,000; 0: limited only by the duration of the statement.
   */
  readonly lockTimeout?: number | undefined;
  /** Maximum wait for a connection, in milliseconds. Default 5,000. */
  readonly connectTimeout?: number | undefined;
  /** The connections' `application_name` in `pg_stat_activity`. Default "synap". */
  readonly applicationName?: string | undefined;
}

/** The sessions for reading and for writing, which may be the same. */
interface Pools {
  readonly reads: ServerSessions;
  readonly writes: ServerSessions;
}

/** Share of connections for reading. Reads are short, while writers hold their connections while they wait for one another. */
const READING_SHARE = 0.4;
/** Time for running queries to finish when the database is closed, in milliseconds. */
const CLOSING_GRACE = 5_000;

/**
 * Connects to a server.
 * @throws DatabaseUrlError, and DatabaseRefusedError when the server refuses the login or the database.
 * @throws DirectUrlMissingError, DirectUrlError when there is a pooler, and no way past it to the same database.
 * @throws DatabaseUnavailableError when it can't be reached.
 */
export async function openServerDatabase(options: ServerOptions): Promise<Database> {
  const { url, directUrl } = options;
  readDatabaseUrl(url);
  if (directUrl !== undefined) readDatabaseUrl(directUrl, "DATABASE_DIRECT_URL");
  const statementTimeout = options.statementTimeout ?? 30_000;
  const lockTimeout = options.lockTimeout ?? 5_000;
  const connectTimeout = options.connectTimeout ?? 5_000;
  const applicationName = options.applicationName ?? "synap";
  // A server that stops answering (a partition, a frozen machine) never closes the connection. The server's own
  // limit can't be reported then, so this side gives up a little later.
  const answerTimeout = statementTimeout + Math.min(5_000, statementTimeout);
  const ownerSettings = serverSettings(undefined, {
    statementTimeout: 0,
    lockTimeout: 0,
    idleInTransactionTimeout: 0,
  });
  const described = (at: string): DescribedConnection => ({
    url: at,
    connectTimeout,
    applicationName: `${applicationName} owner`,
    settings: ownerSettings,
    limit: answerTimeout,
  });
  const identify = async (at: string, setting: UrlSetting): Promise<ServerIdentity> => {
    try {
      return await identifyServer(described(at));
    } catch (error) {
      throw explainRefusal(error, at, setting);
    }
  };
  const server = await identify(url, "DATABASE_URL");
  const { isPooled } = server;
  if (directUrl !== undefined) {
    if ((await identify(directUrl, "DATABASE_DIRECT_URL")).isPooled) throw new DirectUrlError("pooled");
    await requireSameDatabase(described(url), described(directUrl));
  } else if (isPooled) throw new DirectUrlMissingError();
  const scope = isPooled ? "transaction" : "session";
  const sessionUrl = directUrl ?? url;

  const maxConnections = options.maxConnections ?? 10;
  const share = shareConnections(maxConnections);
  const openSessions = (asRole: boolean, max: number): ServerSessions =>
    openServerSessions({
      url,
      applicationName,
      maxConnections: max,
      idleTimeout: 0,
      connectTimeout,
      queueTimeout: answerTimeout,
      answerTimeout,
      settings: serverSettings(asRole ? "synap_app" : undefined, {
        statementTimeout,
        lockTimeout,
        // An abandoned transaction would hold the watermark back.
        idleInTransactionTimeout: Math.max(60_000, statementTimeout),
      }),
      scope,
      names: isPooled ? undefined : createStatementNames(),
    });
  const openPools = (asRole: boolean): Pools => {
    if (share.reads === 0) {
      const all = openSessions(asRole, share.writes);
      return { reads: all, writes: all };
    }
    return { reads: openSessions(asRole, share.reads), writes: openSessions(asRole, share.writes) };
  };
  const owner = openServerSessions({
    url: sessionUrl,
    applicationName: `${applicationName} owner`,
    maxConnections: 1,
    idleTimeout: 10_000,
    connectTimeout,
    // Neither a migration nor waiting for one is limited.
    queueTimeout: undefined,
    answerTimeout: undefined,
    settings: ownerSettings,
    scope: "session",
    names: undefined,
  });
  const listener = createServerListener(
    {
      url: sessionUrl,
      connectTimeout,
      applicationName: `${applicationName} listen`,
      startupOptions: asStartupOptions(ownerSettings),
    },
    answerTimeout,
  );

  const capabilitiesOf = (identity: ServerIdentity): DatabaseCapabilities =>
    readCapabilities(identity.capabilities, options.applicationRole ?? true);

  let capabilities = capabilitiesOf(server);
  let pools = openPools(capabilities.applicationRole);
  let closing: Promise<void> | undefined;
  return {
    engine: "server",
    get capabilities() {
      return capabilities;
    },
    get orm() {
      return pools.reads.orm;
    },
    get reads() {
      return pools.reads;
    },
    get writes() {
      return pools.writes;
    },
    query: (text, parameters) => pools.reads.query(text, parameters),
    transaction: (work, mode) => pools.writes.transaction(work, mode),
    lockWaits: createLockWaits(lockTimeout, Math.max(1, Math.floor(share.writes / 2))),
    connections: () => {
      const { reads, writes } = pools;
      if (reads === writes) return [{ purpose: "all", max: share.writes, ...writes.load() }];
      return [
        { purpose: "reads", max: share.reads, ...reads.load() },
        { purpose: "writes", max: share.writes, ...writes.load() },
      ];
    },
    asOwner: (work) => owner.transaction(work),
    listen: (channel, onNotify) => listener.listen(channel, onNotify),
    failed: new Promise(() => {}),
    refresh: async () => {
      const before = capabilities.applicationRole;
      capabilities = capabilitiesOf(await identify(url, "DATABASE_URL"));
      if (capabilities.applicationRole === before) return;
      const old = pools;
      pools = openPools(capabilities.applicationRole);
      closePools(old).catch(() => {});
    },
    close: () => {
      closing ??= Promise.all([listener.close(), closePools(pools), owner.close(CLOSING_GRACE)]).then(
        () => {},
      );
      return closing;
    },
  };
}

/** @throws DirectUrlError when the direct URL leads to another database, or to a standby. */
async function requireSameDatabase(url: DescribedConnection, directUrl: DescribedConnection): Promise<void> {
  const [one, direct] = await Promise.all([identifyDatabase(url), identifyDatabase(directUrl)]);
  if (direct.database !== one.database) throw new DirectUrlError("another database");
  if (direct.isStandby) throw new DirectUrlError("standby");
}

/** Divides connections between reading and writing. A single one counts as one for writing. */
function shareConnections(max: number): { readonly reads: number; readonly writes: number } {
  const reads = max === 1 ? 0 : Math.max(1, Math.floor(max * READING_SHARE));
  return { reads, writes: max - reads };
}

async function closePools({ reads, writes }: Pools): Promise<void> {
  await Promise.all([reads.close(CLOSING_GRACE), ...(writes === reads ? [] : [writes.close(CLOSING_GRACE)])]);
}
