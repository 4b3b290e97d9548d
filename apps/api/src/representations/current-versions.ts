import type { PageReader } from "@synap/database";
import type { PersonalData } from "@synap/database/internal";
import type { EventCatalogue, StoredEvent } from "@synap/types";
import type { Principal } from "../identity/principal.ts";

/** The reads of events that responses are made of. */
type EventSource = Pick<
  PageReader,
  "getById" | "query" | "queryStream" | "readStreamPage" | "subscribeToAll"
>;

/** The parts that make the events of responses of stored ones. */
export interface EventReading {
  readonly catalogue: Pick<EventCatalogue, "upcast">;
  /** Opens personal values; undefined where no event has any. */
  readonly personalData?: Pick<PersonalData, "open" | "mask" | "lookUp"> | undefined;
}

/** True for a principal that gets personal values as they are. */
export function seesPersonalData({ scopes }: Pick<Principal, "scopes">): boolean {
  return scopes.has("read-personal");
}

/**
 * Stored events as a principal gets them: with the data of each at the current version of its type, and its personal values opened or
 * masked. An event of a version that this API doesn't know yet is given as it is stored; its `schemaVersion` says so.
 */
export async function eventsFor<Event extends StoredEvent>(
  events: readonly Event[],
  { catalogue, personalData }: EventReading,
  principal: Pick<Principal, "scopes">,
): Promise<Event[]> {
  if (personalData === undefined) return events.map(catalogue.upcast);
  const shown = seesPersonalData(principal) ? await personalData.open(events) : events.map(personalData.mask);
  return shown.map(catalogue.upcast);
}

/** Reads whose events are as `eventsFor` makes them. */
export function readableBy<Reader extends EventSource>(
  reader: Reader,
  reading: EventReading,
  principal: Pick<Principal, "scopes">,
): Reader & EventSource {
  const readable = async <Page extends { readonly events: readonly StoredEvent[] }>(
    page: Page,
  ): Promise<Page> => ({
    ...page,
    events: await eventsFor(page.events, reading, principal),
  });
  return {
    ...reader,
    getById: async (id) => {
      const event = await reader.getById(id);
      return event && (await eventsFor([event], reading, principal))[0];
    },
    query: async (filter, page) => {
      const { personalData } = reading;
      const stored =
        personalData !== undefined && seesPersonalData(principal)
          ? await personalData.lookUp(filter)
          : filter;
      return readable(await reader.query(stored, page));
    },
    queryStream: async (...request) => readable(await reader.queryStream(...request)),
    readStreamPage: async (...request) => readable(await reader.readStreamPage(...request)),
    subscribeToAll: async function* (request) {
      for await (const batch of reader.subscribeToAll(request)) yield await readable(batch);
    },
  };
}
