import type { Database, DatabaseOptions, Engine } from "../src/index.ts";

/** A database that belongs to one test or suite. */
export interface TestDatabase {
  readonly engine: Engine;
  /** How it was opened. */
  readonly options: DatabaseOptions;
  /** Open. After `reopen`, another object. */
  readonly database: Database;
  /** Closes and opens it again, as after a restart of the application. */
  reopen(): Promise<Database>;
  /** Closes it and removes it. */
  drop(): Promise<void>;
}
