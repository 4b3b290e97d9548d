import { type Database, type DatabaseOptions, type Engine, openDatabase } from "../src/index.ts";

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

/** Opens a test database that can be opened again. `remove` removes it once it is closed. */
export async function openTestDatabase(
  options: DatabaseOptions,
  remove: () => Promise<unknown>,
): Promise<TestDatabase> {
  let database: Database = await openDatabase(options);
  return {
    engine: database.engine,
    options,
    get database() {
      return database;
    },
    reopen: async () => {
      await database.close();
      database = await openDatabase(options);
      return database;
    },
    drop: async () => {
      await database.close();
      await remove();
    },
  };
}

/** The environment variables with which a process opens a test database on a server as the suite does. */
export function serverVariables({ options }: TestDatabase): Record<string, string> {
  if (!("url" in options)) throw new Error("Only a server has a URL.");
  const { url, directUrl } = options;
  return { DATABASE_URL: url, ...(directUrl !== undefined && { DATABASE_DIRECT_URL: directUrl }) };
}

/** The URL of a test database on a server itself, past any pooler, for sessions beside those of the store. */
export function serverUrl({ options }: TestDatabase): string {
  if (!("url" in options)) throw new Error("Only a server has a URL.");
  return options.directUrl ?? options.url;
}
