import type { PageReader } from "@synap/database";
import type { EventCatalogue, StoredEvent } from "@synap/types";

/** The reads of events that responses are made of. */
type EventSource = Pick<
  PageReader,
  "getById" | "query" | "queryStream" | "readStreamPage" | "subscribeToAll"
>;

/**
 * The same reads, with the data of each event at the current version of its type. An event of a version that this API doesn't know
 * yet is given as it is stored; its `schemaVersion` says so.
 */
export function atCurrentVersions<Reader extends EventSource>(
  reader: Reader,
  { upcast }: Pick<EventCatalogue, "upcast">,
): Reader & EventSource {
  const upcastPage = <Page extends { readonly events: readonly StoredEvent[] }>(page: Page): Page => ({
    ...page,
    events: page.events.map(upcast),
  });
  return {
    ...reader,
    getById: async (id) => {
      const event = await reader.getById(id);
      return event && upcast(event);
    },
    query: async (...request) => upcastPage(await reader.query(...request)),
    queryStream: async (...request) => upcastPage(await reader.queryStream(...request)),
    readStreamPage: async (...request) => upcastPage(await reader.readStreamPage(...request)),
    subscribeToAll: async function* (request) {
      for await (const batch of reader.subscribeToAll(request)) yield upcastPage(batch);
    },
  };
}
