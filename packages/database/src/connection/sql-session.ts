import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type { schema } from "../schema/index.ts";
import type { DatabaseUnavailableError } from "./database-errors.ts";
import type { LockWaits } from "./lock-waits.ts";

/** Where the data lives: in this process (PGlite on a directory or in memory) or on a PostgreSQL server. */
export type Engine = "embedded" | "server";

/** What a query's parameters may be. Lists and objects go as `JSON.stringify(...)` into `$1::text::jsonb`. */
export type SqlParameter = string | number | bigint | boolean | Date | null;

/** Drizzle on either driver, with the tables of `schema`. */
export type Orm = PgDatabase<PgQueryResultHKT, typeof schema>;

/** Anything that runs SQL: the database itself, where every query is its own transaction, or a transaction. */
export interface SqlSession {
  /**
   * Runs one statement and answers its rows. `int8` arrives as a number, `timestamptz` as a Date, `jsonb` parsed.
   * Keep the text constant and put what varies into the parameters: statements are prepared, once per connection.
   * @throws DatabaseUnavailableError when the database can't be reached; anything else as the driver throws it,
   *   with the SQLSTATE in `code` (see `sqlState`).
   */
  query<Row extends object>(text: string, parameters?: readonly SqlParameter[]): Promise<Row[]>;
}

/**
 * An open transaction (READ COMMITTED). Inside `transaction(work)`, run everything through this object and nothing
 * through the database: the embedded engine has one session, and a query beside the transaction waits for it for ever.
 * It ends with the work: COMMIT, ROLLBACK, SAVEPOINT and the like are refused with a `TransactionControlError`.
 */
export interface Transaction extends SqlSession {
  /** Drizzle, bound to this transaction. */
  readonly orm: Orm;
  /** Runs a script of several statements without parameters. */
  execute(script: string): Promise<void>;
  /**
   * Runs work in a savepoint: if it throws, only what it did is undone, and the error goes on to the caller. Inside,
   * use the transaction that work is given: a statement that fails through the outer one fails the outer one.
   */
  savepoint<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** Sessions of a database. */
export interface Sessions extends SqlSession {
  /** Runs work in a transaction: committed when it resolves, rolled back when it throws. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** What the connections of a server's database are doing at this moment. */
export interface ConnectionUse {
  /** What they are for; "all" where there is only one. */
  readonly purpose: "reads" | "writes" | "all";
  /** How many there may be. */
  readonly max: number;
  readonly busy: number;
  /** How many statements and transactions wait for one. */
  readonly waiting: number;
}

/** What the database can do, found out on opening and again after `migrate`. */
export interface DatabaseCapabilities {
  /** For example "17.5". */
  readonly postgresVersion: string;
  /** Version of the TimescaleDB extension in this database; undefined before the first migration. */
  readonly timescaledbVersion: string | undefined;
  /** Community has compression, retention and continuous aggregates; apache has hypertables and time_bucket. */
  readonly edition: "community" | "apache" | undefined;
  /**
   * Whether queries run as the role `synap_app`, which can't change events. False before the first migration, when
   * turned off, and on servers where the login was not granted the role.
   */
  readonly applicationRole: boolean;
}

/**
 * An open database. A server's connections are divided: writers wait for one another, and those that wait can't take
 * the connections that reading needs. `query` and `orm` read, `transaction` writes; `reads` and `writes` choose. The
 * embedded engine has one session for everything.
 */
export interface Database extends Sessions {
  readonly engine: Engine;
  readonly capabilities: DatabaseCapabilities;
  /** Drizzle. Every query is its own transaction. */
  readonly orm: Orm;
  /** For what waits for no other session's locks: reading, and statements on rows that nobody holds for long. */
  readonly reads: Sessions;
  /** For what may wait for locks: appends, commands, passes. */
  readonly writes: Sessions;
  /** How writers wait for locks. */
  readonly lockWaits: LockWaits;
  /** What the connections are doing; nothing on the embedded engine. */
  connections(): readonly ConnectionUse[];
  /**
   * Runs work in a transaction as the login that owns the schema, without time limits. For migrations, and for
   * installing further schemas beside `synap` (grant `synap_app` what the application needs of them).
   */
  asOwner<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Calls back for each NOTIFY on the channel, and once after a lost connection is back, because notifications may
   * have been missed meanwhile. A notification only wakes: poll as well. Resolves once listening.
   * @returns a function that stops listening.
   */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  /**
   * Resolves with the reason when this object can't be used any more, and the database has to be opened anew: the
   * embedded engine has broken. A server that is away comes back, so there it never resolves.
   */
  readonly failed: Promise<DatabaseUnavailableError>;
  /** Finds out again what the database can do; `migrate` calls it. */
  refresh(): Promise<void>;
  /** Lets running queries finish (up to 5 s), then closes. A second call does nothing. */
  close(): Promise<void>;
}
