import { type NameOf, typedEvents } from "./application-types.ts";
import type { EventQuery, EventReader, EventTypeMap, StoredEventIn } from "./contract.ts";
import { isProblem } from "./errors.ts";
import { eachOf } from "./pages.ts";
import type { Transport } from "./transport.ts";

/** Finds stored events through a transport. @internal */
export function createEvents<Types extends EventTypeMap>(
  transport: Transport,
): Pick<EventReader<Types>, "getEvent" | "query"> {
  return {
    async getEvent(id, { signal } = {}) {
      try {
        const [event] = typedEvents<Types, NameOf<Types>>([
          await transport.call("getEvent", { path: { id }, signal }),
        ]);
        return event;
      } catch (error) {
        if (isProblem(error, "event-not-found")) return undefined;
        throw error;
      }
    },
    query<const Name extends NameOf<Types>>(query: EventQuery<Name> = {}) {
      const { signal, pageSize, ...filter } = query;
      return eachOf<StoredEventIn<Types, Name>, string>(async (cursor) => {
        const page = await transport.call("listEvents", {
          query: { ...filter, limit: pageSize, cursor },
          signal,
        });
        return { items: typedEvents<Types, Name>(page.events), next: page.nextCursor };
      });
    },
  };
}
