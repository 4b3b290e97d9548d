import type { Event } from "@event-driven-io/emmett";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import type { JsonObject, SynapEvent } from "@synap/types";
import type { Competitor } from "./competitor.ts";
import { openPeer } from "./open-peer.ts";

/**
 * Emmett's PostgreSQL store as https://event-driven-io.github.io/emmett/event-stores/postgresql.html ("Quick start")
 * and its own benchmark (src/packages/emmett-postgresql/src/benchmarks/index.ts) use it: from a connection string, which
 * gives a pool of 10 (that page's `connectionOptions.max` is not an option of this release), and with the schema made
 * up front, so that no append looks for it. No inline projections: nothing runs but the append.
 */
export function openEmmett(serverUrl: string): Promise<Competitor> {
  return openPeer(serverUrl, { id: "emmett", name: "Emmett" }, (url) => {
    const store = getPostgreSQLEventStore(url, { schema: { autoMigration: "None" } });
    return {
      append: async (events) => {
        await store.appendToStream(streamOf(events), events.map(emmettEvent));
      },
      read: async (example) => {
        const { events } = await store.readStream(streamOf([example]));
        return () => events.map(({ metadata }) => metadata.messageId);
      },
      install: () => store.schema.migrate(),
      close: () => store.close(),
      selectIds: "SELECT message_id AS id FROM emt_messages",
    };
  });
}

/** The type of the stream and its id, joined as the page's examples do ("ShoppingCart-123"). */
function streamOf([first]: readonly SynapEvent[]): string {
  if (first === undefined) throw new Error("There is no event that names a stream.");
  return `${first.aggregateType}-${first.aggregateId}`;
}

type EmmettEvent = Event<string, JsonObject, Record<string, unknown>>;

/** The same content: our id is its message id, and what it has no column for is metadata. */
function emmettEvent(event: SynapEvent): EmmettEvent {
  const { id, type, data, aggregateType: _type, aggregateId: _id, ...envelope } = event;
  return { type, data, metadata: { messageId: id, ...envelope } };
}
