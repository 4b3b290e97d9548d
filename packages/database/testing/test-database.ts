import type { Database, DatabaseOptions, Engine } from "../src/index.ts";

/** What a fresh database holds: everything that the migrations make, or nothing at all. */
export type DatabaseContent = "migrated" | "empty";

/** A database that belongs to one test or suite. */
export interface TestDatabase {
  readonly engine: Engine;
  /** How it was opened. */
  readonly options: DatabaseOptions;
  /** Open. After `reopen`, another object. */
  readonly database: Database;
  /** Closes and opens it again, as after a restart of the application. Not for an engine in memory: see `onDisk`. */
  reopen(): Promise<Database>;
  /** Closes it and removes it. */
  drop(): Promise<void>;
}
