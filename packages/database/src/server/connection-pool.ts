import { AsyncResource } from "node:async_hooks";
import pg from "pg";
import { asDatabaseError, DatabaseUnavailableError } from "../connection/database-errors.ts";
import { asUnavailable, type ConnectionOptions, ServerConnection } from "./server-connection.ts";
import { withLimit } from "./time-limit.ts";

export interface PoolOptions extends ConnectionOptions {
  readonly maxConnections: number;
  /** Maximum wait for a free connection, in milliseconds; undefined: no limit. */
  readonly queueTimeout: number | undefined;
  /** Time for which an idle connection is kept, in milliseconds; 0: for its whole life. */
  readonly idleTimeout: number;
  /** Run on every new connection before anything else. The connection must then be a session of its own, without a pooler. */
  readonly settle: string | undefined;
}

/** A pool of connections to a server, each with one user at a time. */
export interface ConnectionPool {
  /**
   * Runs work with exclusive use of a connection.
   * @throws DatabaseUnavailableError when none can be opened or becomes free in time.
   */
  use<T>(work: (connection: ServerConnection) => Promise<T>): Promise<T>;
  /** The numbers of used connections and of waiting users. */
  load(): { readonly busy: number; readonly waiting: number };
  /** Accepts no more work, lets running work finish for the given time in milliseconds, then cuts off the rest. */
  close(grace: number): Promise<void>;
}

// Reconnecting now and then finds a server that has taken over under the same name.
const MAX_LIFETIME_SECONDS = 3_600;
const POOLER_CAME_IN_BETWEEN =
  "its address now leads through a connection pooler; restart this process to use it";
/** Time that a server may take to close a connection on request, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

export function openConnectionPool(options: PoolOptions): ConnectionPool {
  const connections = new Set<ServerConnection>();
  const inUse = new Set<ServerConnection>();
  let onChange = (): void => {};
  let users = 0;
  let isClosed = false;
  const waiting = new Set<(error: Error) => void>();

  class PooledConnection extends ServerConnection {
    constructor() {
      super({ ...options, onSilence: disconnectIdle });
      connections.add(this);
      this.once("end", () => {
        connections.delete(this);
        onChange();
      });
    }
  }

  /** Cuts off idle connections: when one got no answer, the others would get none either. */
  function disconnectIdle(): void {
    for (const connection of connections) if (!inUse.has(connection)) connection.cutOff();
  }

  const { settle } = options;
  const pool = new pg.Pool({
    Client: PooledConnection,
    max: options.maxConnections,
    idleTimeoutMillis: options.idleTimeout,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
    ...(options.queueTimeout !== undefined && { connectionTimeoutMillis: options.queueTimeout }),
    ...(settle !== undefined && {
      onConnect: async (connection: pg.ClientBase) => {
        if (!(connection instanceof ServerConnection)) return;
        const [isPooled] = await Promise.all([
          connection.isPooled(options.connectTimeout),
          connection.script(settle, options.connectTimeout),
        ]);
        // It may have dropped the settings without an error, and would give the session to others.
        if (isPooled) throw new DatabaseUnavailableError(POOLER_CAME_IN_BETWEEN);
      },
    }),
  });
  // An idle connection was lost; the pool has removed it.
  pool.on("error", () => {});

  // A connection outlives the call that opens it, and its events must not be attributed to that call.
  const scope = new AsyncResource("SynapConnectionPool");

  /**
   * Resolves with the pending connection, unless the pool is closed first. Not a race with one shared promise, which would
   * retain every call that ever raced with it.
   */
  function untilClosed(coming: Promise<pg.PoolClient>): Promise<pg.PoolClient> {
    return new Promise((resolve, reject) => {
      waiting.add(reject);
      coming.then(resolve, reject).finally(() => waiting.delete(reject));
    });
  }

  async function acquire(): Promise<PooledConnection & pg.PoolClient> {
    const coming = scope.runInAsyncScope(() => pool.connect());
    let connection: pg.PoolClient;
    try {
      connection = await untilClosed(coming);
    } catch (error) {
      coming.then(
        (late) => late.release(true),
        () => {},
      );
      throw error instanceof pg.DatabaseError ? asDatabaseError(error) : asUnavailable(error);
    }
    if (!(connection instanceof PooledConnection)) throw new TypeError("The pool made another connection.");
    return connection;
  }

  async function until(isDone: () => boolean, milliseconds: number): Promise<void> {
    const done = new Promise<void>((resolve) => {
      onChange = () => isDone() && resolve();
      onChange();
    });
    await withLimit(done, milliseconds).catch(() => {});
  }

  return {
    use: async (work) => {
      if (isClosed) throw new DatabaseUnavailableError("it was closed");
      users += 1;
      try {
        const connection = await acquire();
        inUse.add(connection);
        try {
          return await work(connection);
        } finally {
          inUse.delete(connection);
          // A transaction that could not be ended is discarded with its connection.
          connection.release(connection.getTransactionStatus() !== "I");
        }
      } finally {
        users -= 1;
        onChange();
      }
    },
    load: () => ({ busy: inUse.size, waiting: users - inUse.size }),
    close: async (grace) => {
      isClosed = true;
      await until(() => users === 0, grace);
      for (const giveUp of waiting) giveUp(new DatabaseUnavailableError("it was closed"));
      pool.end().catch(() => {});
      if (users === 0) await until(() => connections.size === 0, CLOSE_TIMEOUT_MS);
      for (const connection of connections) connection.cutOff();
    },
  };
}
