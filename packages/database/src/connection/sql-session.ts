import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type { schema } from "../schema/index.ts";
import type { DatabaseUnavailableError } from "./database-errors.ts";
import type { LockWaits } from "./lock-waits.ts";
import type { TransactionMode } from "./transaction-mode.ts";

/** The engine: embedded in this process (PGlite on a directory or in memory) or a PostgreSQL server. */
export type Engine = "embedded" | "server";

/** The types of query parameters. Pass lists and objects as `JSON.stringify(...)` to `$1::text::jsonb`. */
export type SqlParameter = string | number | bigint | boolean | Date | null;

/** A statement with its options. */
export interface Statement {
  readonly text: string;
  readonly parameters: readonly SqlParameter[];
  /** Name of the prepared statement. */
  readonly name?: string | undefined;
  /** Returns rows as lists of columns. */
  readonly rowMode?: "array" | undefined;
  /** Type parsers in place of the default ones. */
  readonly readerOf?: ((type: number) => (text: string) => unknown) | undefined;
}

/** Drizzle on either driver, with the tables of `schema`. */
export type Orm = PgDatabase<PgQueryResultHKT, typeof schema>;

/** A session that runs SQL: the database, where every query is a separate transaction, or a transaction. */
export interface SqlSession {
  /**
   * Runs one statement and returns its rows. `int8` arrives as a number, `timestamptz` as a Date, `jsonb` parsed.
   * Keep the text constant and put variable values into the parameters: statements are prepared once per connection.
   * @throws DatabaseUnavailableError when the database can't be reached; otherwise the driver's error,
   *   with the SQLSTATE in `code` (see `sqlState`).
   */
  query<Row extends object>(text: string, parameters?: readonly SqlParameter[]): Promise<Row[]>;
}

/**
 * An open transaction (READ COMMITTED). Inside `transaction(work)`, run everything through this object and nothing
 * through the database: the embedded engine has one session, so a query outside the transaction would wait for it forever.
 * It ends with the work: COMMIT, ROLLBACK, SAVEPOINT and the like are refused with a `TransactionControlError`.
 */
export interface Transaction extends SqlSession {
  /** Drizzle, bound to this transaction. */
  readonly orm: Orm;
  /** Runs a script of several statements without parameters. */
  execute(script: string): Promise<void>;
  /**
   * Runs work in a savepoint: if it throws, only its changes are rolled back, and the error is rethrown. Inside,
   * use the transaction passed to work: a failing statement on the outer one fails the outer one.
   */
  savepoint<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** Sessions of a database. */
export interface Sessions extends SqlSession {
  /** Runs work in a transaction: committed when it resolves, rolled back when it throws. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>, mode?: TransactionMode): Promise<T>;
}

/** Current use of a pool of server connections. */
export interface ConnectionUse {
  /** The purpose of the pool; "all" if there is only one connection. */
  readonly purpose: "reads" | "writes" | "all";
  /** Maximum number of connections. */
  readonly max: number;
  readonly busy: number;
  /** Number of statements and transactions that wait for a connection. */
  readonly waiting: number;
}

/** The database's capabilities, determined on opening and again after `migrate`. */
export interface DatabaseCapabilities {
  /** For example "17.5". */
  readonly postgresVersion: string;
  /** Version of the TimescaleDB extension in this database; undefined before the first migration. */
  readonly timescaledbVersion: string | undefined;
  /** Community has compression, retention and continuous aggregates; apache has hypertables and time_bucket. */
  readonly edition: "community" | "apache" | undefined;
  /**
   * True if queries run as the role `synap_app`, which can't change events. False before the first migration, when
   * turned off, and on servers where the login was not granted the role.
   */
  readonly applicationRole: boolean;
}

/**
 * An open database. A server's connections are divided, because writers wait for one another and must not use up
 * the connections for reading. `query` and `orm` read, `transaction` writes; `reads` and `writes` choose. The
 * embedded engine has one session for everything.
 */
export interface Database extends Sessions {
  readonly engine: Engine;
  readonly capabilities: DatabaseCapabilities;
  /** Drizzle. Every query is a separate transaction. */
  readonly orm: Orm;
  /** For work that doesn't wait for locks: reading, and statements on rows that are never locked for long. */
  readonly reads: Sessions;
  /** For work that may wait for locks: appends, commands, passes. */
  readonly writes: Sessions;
  /** The policy for lock waits of writers. */
  readonly lockWaits: LockWaits;
  /** Current use of the connections; empty on the embedded engine. */
  connections(): readonly ConnectionUse[];
  /**
   * Runs work in a transaction as the login that owns the schema, without time limits. For migrations, and for
   * installing further schemas (grant `synap_app` the rights that the application needs).
   */
  asOwner<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Calls back for each NOTIFY on the channel, and once after reconnecting, because notifications may
   * have been missed. A notification is only a wake-up: poll as well. Resolves once listening.
   * @returns a function that stops listening.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  /**
   * Resolves with the reason when this object becomes unusable and the database has to be reopened: the
   * embedded engine has crashed. Never resolves for a server, which is reconnected.
   */
  readonly failed: Promise<DatabaseUnavailableError>;
  /** Determines the capabilities again; `migrate` calls it. */
  refresh(): Promise<void>;
  /** Waits for running queries (up to 5 s), then closes. A second call does nothing. */
  close(): Promise<void>;
}
