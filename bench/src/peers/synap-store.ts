import { createEventStore } from "@synap/database";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { type StoredEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import type { Competitor } from "./competitor.ts";

/**
 * Synap as docs/store.md and docs/streams.md show it, with its defaults (10 connections, prepared statements). It does
 * more than its peers: every event is checked against its type, and looked up by id and idempotency key.
 */
export async function openSynap(serverUrl: string): Promise<Competitor> {
  const { database, remove } = await createTemporaryDatabase(serverUrl, "peers_synap");
  const store = createEventStore({ database, catalogue: seedCatalogue });
  return {
    id: "synap",
    name: "Synap",
    append: async (events) => {
      await store.appendToStream(streamOf(events), "any", events.map(withoutStream));
    },
    read: async (example) => {
      const events: StoredEvent[] = [];
      for await (const event of store.readStream(streamOf([example]))) events.push(event);
      return () => events.map(({ id }) => id);
    },
    storedIds: async () => {
      const rows = await database.query<{ id: string }>("SELECT id FROM synap.events");
      return rows.map(({ id }) => id);
    },
    remove,
  };
}

function streamOf([first]: readonly SynapEvent[]) {
  if (first === undefined) throw new Error("There is no event that names a stream.");
  return { aggregateType: first.aggregateType, aggregateId: first.aggregateId };
}

function withoutStream({ aggregateType: _type, aggregateId: _id, ...event }: SynapEvent) {
  return event;
}
