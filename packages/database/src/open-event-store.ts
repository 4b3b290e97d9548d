import { type DatabaseOptions, openDatabase } from "./connection/open-database.ts";
import type { Database } from "./connection/sql-session.ts";
import type { EventStore } from "./event-store.ts";
import { createMemoryEventStore } from "./memory/memory-event-store.ts";
import { migrate } from "./migrations/migrate.ts";
import { createEventStore, type EventStoreOptions } from "./postgres-event-store.ts";

export interface EventStoreConfiguration extends Omit<EventStoreOptions, "database"> {
  /** "memory" keeps everything in this process, for tests; else where the database is, as `openDatabase` takes it. */
  readonly storage: "memory" | DatabaseOptions;
  /** Bring the database's schema up to date first. Default true. */
  readonly migrate?: boolean | undefined;
}

export interface OpenEventStore {
  readonly store: EventStore;
  /** Under the store; undefined in memory. */
  readonly database: Database | undefined;
  /** Closes what was opened. */
  close(): Promise<void>;
}

/**
 * Opens an event store where the configuration says.
 * @throws as `openDatabase` and `migrate`; TypeError for `onAppend` in memory, which knows no transactions.
 */
export async function openEventStore(configuration: EventStoreConfiguration): Promise<OpenEventStore> {
  const { storage, migrate: isMigrated = true, ...options } = configuration;
  if (storage === "memory") {
    if (options.onAppend !== undefined) throw new TypeError("The store in memory runs no onAppend.");
    return { store: createMemoryEventStore(options), database: undefined, close: async () => {} };
  }
  const database = await openDatabase(storage);
  try {
    if (isMigrated) await migrate(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return { store: createEventStore({ ...options, database }), database, close: () => database.close() };
}
