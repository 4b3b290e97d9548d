import { type NameOf, typedEvents } from "./application-types.ts";
import type {
  DescribedEventType,
  EventQuery,
  EventReader,
  EventTypeMap,
  PartOf,
  StoredEventIn,
} from "./contract.ts";
import { isProblem } from "./errors.ts";
import { eachOf } from "./pages.ts";
import type { ProblemCode } from "./problems.ts";
import type { Transport } from "./transport.ts";

/** Finds stored events and event types through a transport. @internal */
export function createEvents<Types extends EventTypeMap>(
  transport: Transport,
): Pick<EventReader<Types>, "eventTypes" | "getEvent" | "getEventType" | "history" | "query"> {
  return {
    eventTypes: ({ pageSize: limit, signal } = {}) =>
      eachOf<DescribedEventType, string>(async (cursor) => {
        const page = await transport.call("listEventTypes", { query: { limit, cursor }, signal });
        return { items: page.eventTypes, next: page.nextCursor };
      }),
    getEventType: (name, { signal } = {}) =>
      found(transport.call("getEventType", { path: { name }, signal }), "event-type-not-found"),
    async getEvent(id, { signal } = {}) {
      const event = await found(transport.call("getEvent", { path: { id }, signal }), "event-not-found");
      return event && typedEvents<Types, NameOf<Types>>([event])[0];
    },
    history: ({ aggregateType: type, aggregateId: id }, { pageSize: limit, signal } = {}) =>
      eachOf<StoredEventIn<Types>, string>(async (cursor) => {
        const call = transport.call("aggregateHistory", {
          path: { type, id },
          query: { limit, cursor },
          signal,
        });
        const page = await found(call, "stream-not-found");
        const items = typedEvents<Types, NameOf<Types>>(page?.events ?? []);
        return { items, next: page?.nextCursor };
      }),
    query<const Name extends NameOf<Types>>(query: EventQuery<Name, PartOf<Types[Name]>> = {}) {
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

/** Awaits a call for something that may not exist: undefined if the API answers with this code. */
async function found<Answer>(call: Promise<Answer>, missing: ProblemCode): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isProblem(error, missing)) return undefined;
    throw error;
  }
}
