import { AsyncResource } from "node:async_hooks";
import pg from "pg";
import { asDatabaseError, DatabaseUnavailableError } from "./database-errors.ts";
import { asUnavailable, type ConnectionOptions, ServerConnection } from "./server-connection.ts";
import { withLimit } from "./time-limit.ts";

export interface PoolOptions extends ConnectionOptions {
  readonly maxConnections: number;
  /** Longest time to wait until a connection comes free, in milliseconds; undefined: as long as it takes. */
  readonly queueTimeout: number | undefined;
  /** For how long a connection that nobody uses is kept, in milliseconds; 0: for its whole life. */
  readonly idleTimeout: number;
  /** Run on every new connection before anything else. */
  readonly settle: string | undefined;
}

/** Connections to a server, each of which has one user at a time. */
export interface ConnectionPool {
  /**
   * Runs work on a connection that nobody else uses meanwhile.
   * @throws DatabaseUnavailableError when none can be made, or none comes free in time.
   */
  use<T>(work: (connection: ServerConnection) => Promise<T>): Promise<T>;
  /** How many connections are in use, and how many users wait for one. */
  load(): { readonly busy: number; readonly waiting: number };
  /** Takes no more work, lets what has begun finish for so many milliseconds, then cuts off what is left. */
  close(grace: number): Promise<void>;
}

// A connection that is made anew now and then finds a server that has taken over behind the same name.
const MAX_LIFETIME_SECONDS = 3_600;
/** How long a server may take to hang up when it is asked to, in milliseconds. */
const GOODBYE = 1_000;

export function openConnectionPool(options: PoolOptions): ConnectionPool {
  const connections = new Set<ServerConnection>();
  const inUse = new Set<ServerConnection>();
  let onChange = (): void => {};
  let users = 0;
  let isClosed = false;
  const waiting = new Set<(error: Error) => void>();

  class PooledConnection extends ServerConnection {
    constructor() {
      super({ ...options, onSilence: cutOffIdle });
      connections.add(this);
      this.once("end", () => {
        connections.delete(this);
        onChange();
      });
    }
  }

  /** Where one connection got no answer, those that wait to be used would get none either. */
  function cutOffIdle(): void {
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
        if (connection instanceof ServerConnection) await connection.script(settle, options.connectTimeout);
      },
    }),
  });
  // A connection was lost while nobody used it; the pool has let go of it.
  pool.on("error", () => {});

  // A connection outlives the call for which it is made, and what happens on it must not be attributed to that call.
  const scope = new AsyncResource("SynapConnectionPool");

  /**
   * The connection that is coming, unless the pool is given up first. Not a race with one promise for all: that promise would
   * keep every call that ever raced with it.
   */
  function unlessGivenUp(coming: Promise<pg.PoolClient>): Promise<pg.PoolClient> {
    return new Promise((resolve, reject) => {
      waiting.add(reject);
      coming.then(resolve, reject).finally(() => waiting.delete(reject));
    });
  }

  async function acquire(): Promise<PooledConnection & pg.PoolClient> {
    const coming = scope.runInAsyncScope(() => pool.connect());
    let connection: pg.PoolClient;
    try {
      connection = await unlessGivenUp(coming);
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
          // A transaction that could not be ended goes with its connection.
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
      if (users === 0) await until(() => connections.size === 0, GOODBYE);
      for (const connection of connections) connection.cutOff();
    },
  };
}
