import { serverSettings } from "../connection/session-settings.ts";
import type { Database, Sessions } from "../connection/sql-session.ts";
import { explainRefusal } from "../server/database-url.ts";
import { type DescribedConnection, identifyDatabase, identifyServer } from "../server/server-identity.ts";
import { openServerSessions, type ServerSessions } from "../server/server-sessions.ts";
import { createStatementNames } from "../server/statement-names.ts";
import { ReplicaUrlError } from "./replica-errors.ts";

export interface ReplicaSessionsOptions {
  readonly url: string;
  readonly maxConnections: number;
  readonly connectTimeout: number;
  readonly statementTimeout: number;
  /** Maximum wait for a lock that replay holds, in milliseconds. */
  readonly lockTimeout: number;
  /** Maximum wait for the answer to a probe, in milliseconds. */
  readonly probeTimeout: number;
}

/** Sessions on a replica, which can't write. */
export interface ReplicaSessions {
  readonly reads: Sessions;
  /** One connection, which no read occupies. */
  readonly probes: Sessions;
}

/** The sessions of a replica, opened when it first answers. */
export interface ReplicaConnections {
  readonly current: ReplicaSessions | undefined;
  /** @throws ReplicaUrlError when it is one of another database; DatabaseUnavailableError and the server's errors */
  open(): Promise<ReplicaSessions>;
  /** Waits for running reads for the given time in milliseconds, then cuts off the rest. */
  close(grace: number): Promise<void>;
}

const APPLICATION_NAME = "synap replica";
const HISTORY = "SELECT synap.database_history() AS history";

export function createReplicaConnections(
  primary: Database,
  options: ReplicaSessionsOptions,
): ReplicaConnections {
  const { url, connectTimeout, statementTimeout } = options;
  const answerTimeout = statementTimeout + Math.min(5_000, statementTimeout);
  const settings = serverSettings(primary.capabilities.applicationRole ? "synap_app" : undefined, {
    statementTimeout,
    // Only replay locks there, and it keeps a lock for as long as it is paused.
    lockTimeout: options.lockTimeout,
    idleInTransactionTimeout: Math.max(60_000, statementTimeout),
  });
  let current: { readonly reads: ServerSessions; readonly probes: ServerSessions } | undefined;
  let opening: Promise<ReplicaSessions> | undefined;
  let isClosed = false;

  async function openOnce(): Promise<ReplicaSessions> {
    const described = {
      url,
      connectTimeout,
      applicationName: APPLICATION_NAME,
      settings,
      limit: answerTimeout,
    };
    const { isPooled, database } = await identify(described);
    const [own] = await primary.query<{ history: string }>(HISTORY);
    if (own?.history.startsWith(`${database} `) !== true) throw new ReplicaUrlError();
    const sessions = (maxConnections: number, limit: number) =>
      openServerSessions({
        url,
        applicationName: APPLICATION_NAME,
        maxConnections,
        idleTimeout: 0,
        connectTimeout,
        queueTimeout: answerTimeout,
        answerTimeout: limit,
        settings,
        scope: isPooled ? "transaction" : "session",
        names: isPooled ? undefined : createStatementNames(),
        readOnly: true,
      });
    current = {
      reads: sessions(options.maxConnections, answerTimeout),
      probes: sessions(1, options.probeTimeout),
    };
    if (isClosed) await close(0);
    return current;
  }

  async function open(): Promise<ReplicaSessions> {
    if (current !== undefined) return current;
    // A probe is not waited for as long as connecting may take, so the next one may come while one connects.
    opening ??= openOnce().finally(() => {
      opening = undefined;
    });
    return opening;
  }

  async function identify(described: DescribedConnection) {
    try {
      return { ...(await identifyServer(described)), ...(await identifyDatabase(described)) };
    } catch (error) {
      throw explainRefusal(error, url, "DATABASE_REPLICA_URL");
    }
  }

  async function close(grace: number): Promise<void> {
    isClosed = true;
    await Promise.all([current?.reads.close(grace), current?.probes.close(grace)]);
  }

  return {
    get current() {
      return current;
    },
    open,
    close,
  };
}
