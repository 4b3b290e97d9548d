import { type DcbEvent, Query, Tags } from "@dcb-es/event-store";
import { PostgresEventStore } from "@dcb-es/event-store-postgres";
import { type SynapEvent, seedCatalogue } from "@synap/types";
import pg from "pg";
import type { Competitor } from "./competitor.ts";
import { openPeer } from "./open-peer.ts";
import { plainTypes } from "./plain-types.ts";

/** A query names the types of the events that it looks for, in this store. */
const TYPES = seedCatalogue.types.map(({ name }) => name);

/**
 * `@dcb-es/event-store-postgres` as its README uses it ("Use the store directly"): appends without a condition, by a pool of
 * 10 connections, each event tagged with its stream. It reads with a cache of positions that may be 50 ms old, its default.
 */
export function openDcb(serverUrl: string): Promise<Competitor> {
  return openPeer(serverUrl, { id: "dcb", name: "dcb-event-store" }, (url) => {
    const pool = new pg.Pool({ connectionString: url, max: 10, types: plainTypes });
    const store = new PostgresEventStore({ pool });
    return {
      append: async (events) => {
        await store.append({ events: events.map(dcbEvent) });
      },
      read: async (example) => {
        const query = Query.fromItems([{ types: TYPES, tags: streamOf(example) }]);
        const events: DcbEvent[] = [];
        for await (const { event } of store.read(query)) events.push(event);
        return () => events.map(({ metadata }) => idIn(metadata));
      },
      install: () => store.ensureInstalled(),
      close: () => pool.end(),
      selectIds: "SELECT payload::json -> 'metadata' ->> 'id' AS id FROM events",
    };
  });
}

function streamOf({ aggregateType, aggregateId }: SynapEvent): Tags {
  return Tags.from([`${aggregateType}=${aggregateId}`]);
}

/** The same content: what it has no column for is metadata. */
function dcbEvent(event: SynapEvent): DcbEvent {
  const { type, data, aggregateType: _type, aggregateId: _id, ...envelope } = event;
  return { type, tags: streamOf(event), data, metadata: envelope };
}

function idIn(metadata: unknown): string {
  const id = typeof metadata === "object" && metadata !== null && "id" in metadata ? metadata.id : undefined;
  return String(id);
}
