import { type NameOf, typedEvent, typedEvents } from "./application-types.ts";
import type {
  DescribedEventType,
  EventQuery,
  EventReader,
  EventTypeMap,
  JsonObject,
  PartOf,
  StoredEventIn,
} from "./contract.ts";
import { found } from "./found.ts";
import { eachOf } from "./pages.ts";
import type { Resource } from "./resources.ts";
import type { Transport } from "./transport.ts";

/** A query for events, by their processing too. */
export interface StoredEventQuery<Name extends string = string, Data = JsonObject>
  extends EventQuery<Name, Data> {
  /** Events that every handler has processed, or that some handler has not. Selected within each page. */
  readonly processed?: boolean | undefined;
}

/** Finds stored events and event types through a transport. @internal */
export function createEvents<Types extends EventTypeMap>(
  transport: Transport,
): Pick<
  EventReader<Types>,
  "eventTypes" | "getEvent" | "getEventWithCaused" | "trace" | "getEventType" | "history" | "query"
> {
  const typed = (event: Resource<"StoredEvent">) => typedEvent<Types>(event);
  return {
    eventTypes: ({ pageSize: limit, signal } = {}) =>
      eachOf<DescribedEventType, string>(async (cursor) => {
        const page = await transport.call("listEventTypes", { query: { limit, cursor }, signal });
        return { items: page.eventTypes, next: page.nextCursor };
      }),
    getEventType: (name, { signal } = {}) =>
      found(transport.call("getEventType", { path: { name }, signal }), "event-type-not-found"),
    async getEvent(id, { signal, minPosition } = {}) {
      const call = transport.call("getEvent", { path: { id }, signal, minPosition });
      const event = await found(call, "event-not-found");
      return event && typed(event);
    },
    async getEventWithCaused(id, { limit = 100, signal } = {}) {
      const call = transport.call("getEvent", { path: { id }, query: { caused: limit }, signal });
      const answer = await found(call, "event-not-found");
      if (answer === undefined) return undefined;
      const { caused: { events = [], nextCursor } = {}, ...event } = answer;
      return { event: typed(event), caused: { events: events.map(typed), nextCursor } };
    },
    async trace(correlationId, { limit, cursor, signal } = {}) {
      const call = transport.call("getTrace", { path: { correlationId }, query: { limit, cursor }, signal });
      const trace = await found(call, "trace-not-found");
      return (
        trace && { ...trace, nodes: trace.nodes.map(({ depth, event }) => ({ depth, event: typed(event) })) }
      );
    },
    history({ aggregateType: type, aggregateId: id }, { pageSize: limit, minPosition, signal } = {}) {
      return eachOf<StoredEventIn<Types>, string>(async (cursor) => {
        const call = transport.call("aggregateHistory", {
          path: { type, id },
          query: { limit, cursor },
          signal,
          minPosition,
        });
        const page = await found(call, "stream-not-found");
        const items = typedEvents<Types, NameOf<Types>>(page?.events ?? []);
        return { items, next: page?.nextCursor };
      });
    },
    query<const Name extends NameOf<Types>>(query: StoredEventQuery<Name, PartOf<Types[Name]>> = {}) {
      const { signal, pageSize, minPosition, processed, ...filter } = query;
      const isProcessed = processed === undefined ? undefined : (`${processed}` as const);
      return eachOf<StoredEventIn<Types, Name>, string>(async (cursor) => {
        const page = await transport.call("listEvents", {
          query: { ...filter, processed: isProcessed, limit: pageSize, cursor },
          signal,
          minPosition,
        });
        return { items: typedEvents<Types, Name>(page.events), next: page.nextCursor };
      });
    },
  };
}
