import { seedCatalogue } from "@synap/types";
import type { Database, Engine, EventStore } from "../src/index.ts";
import { createEventStore, createMemoryEventStore } from "../src/internal.ts";
import { createTestDatabase } from "./create-test-database.ts";

/** An event store of the seeded types, on a fresh database or in memory. */
export interface TestStore {
  readonly store: EventStore;
  /** Undefined for the store in memory. */
  readonly database: Database | undefined;
  drop(): Promise<void>;
}

/** Creates an event store in memory or on an engine. Drop it after the test. */
export async function createTestStore(kind: "memory" | Engine): Promise<TestStore> {
  if (kind === "memory") {
    const store = createMemoryEventStore({ catalogue: seedCatalogue });
    return { store, database: undefined, drop: async () => {} };
  }
  const made = await createTestDatabase(kind);
  const { database } = made;
  const store = createEventStore({ database, catalogue: seedCatalogue });
  return { store, database, drop: () => made.drop() };
}
