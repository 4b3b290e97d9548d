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

/** The URL of a test database on a server itself, past any pooler, for sessions beside those of the store. */
export function serverUrl({ options }: TestDatabase): string {
  if (!("url" in options)) throw new Error("Only a server has a URL.");
  return options.directUrl ?? options.url;
}
