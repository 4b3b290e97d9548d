import { createEventStore } from "@synap/database/internal";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { type StoredEvent, seedCatalogue } from "@synap/types";
import type { Competitor } from "./competitor.ts";

/**
 * Synap as docs/insides/store.md shows it: `append` and `appendBatch`, which are for events without an expected version, and its
 * defaults (10 connections, prepared statements). It does more than its peers: every event is checked against its type,
 * and looked up by id and idempotency key.
 */
export async function openSynap(serverUrl: string): Promise<Competitor> {
  const { database, remove } = await createTemporaryDatabase(serverUrl, "peers_synap");
  const store = createEventStore({ database, catalogue: seedCatalogue });
  return {
    id: "synap",
    name: "Synap",
    append: async (events) => {
      const [first, ...more] = events;
      if (first === undefined) return;
      const outcomes = more.length === 0 ? [await store.append(first)] : await store.appendBatch(events);
      const refused = outcomes.find(({ status }) => status !== "stored");
      if (refused !== undefined) throw new Error(`Synap did not store an event: ${JSON.stringify(refused)}`);
    },
    read: async (example) => {
      const events: StoredEvent[] = [];
      const { aggregateType, aggregateId } = example;
      for await (const event of store.readStream({ aggregateType, aggregateId })) events.push(event);
      return () => events.map(({ id }) => id);
    },
    storedIds: async () => {
      const rows = await database.query<{ id: string }>("SELECT id FROM synap.events");
      return rows.map(({ id }) => id);
    },
    remove,
  };
}
