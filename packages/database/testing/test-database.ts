import type { Database, DatabaseOptions, Engine } from "../src/index.ts";

/** Initial content of a test database: the result of the migrations, or nothing. */
export type DatabaseContent = "migrated" | "empty";

/** A database of one test or suite. */
export interface TestDatabase {
  readonly engine: Engine;
  /** Options with which it was opened. */
  readonly options: DatabaseOptions;
  /** The open database. `reopen` replaces this object. */
  readonly database: Database;
  /** Closes and reopens it, like a restart of the application. Not for an in-memory engine: see `onDisk`. */
  reopen(): Promise<Database>;
  /** Closes and removes it. */
  drop(): Promise<void>;
}
