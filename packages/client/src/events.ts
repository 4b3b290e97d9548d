import { type NameOf, typedEvents } from "./application-types.ts";
import type { EventTypeMap, StoredEventIn } from "./contract.ts";
import { isProblem } from "./errors.ts";
import { eachOf } from "./pages.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Filter of stored events. All given conditions must hold. */
export interface EventQuery<Name extends string = string> extends CallOptions {
  /** Events of this type, or of any of these. */
  readonly type?: Name | readonly Name[];
  readonly aggregateType?: string;
  readonly aggregateId?: string;
  readonly userId?: string;
  readonly correlationId?: string;
  /** Events that happened at this moment or later. */
  readonly from?: Date | string;
  /** Events that happened before this moment. */
  readonly to?: Date | string;
  /** By time. Default `desc`: newest first. */
  readonly order?: "asc" | "desc";
  /** Events fetched at a time, 1 to 1,000. Default 100. */
  readonly pageSize?: number;
}

/** Finding stored events. */
export interface Events<Types extends EventTypeMap> {
  /** The event with this id; undefined when it isn't stored. */
  getEvent(id: string, options?: CallOptions): Promise<StoredEventIn<Types> | undefined>;
  /**
   * The events that match, by time, fetched page by page.
   * @throws SynapProblem `filter-unknown` for an event type or an aggregate type that neither the application nor a stored
   *   event has
   */
  query<const Name extends NameOf<Types> = NameOf<Types>>(
    query?: EventQuery<Name>,
  ): AsyncGenerator<StoredEventIn<Types, Name>, void, void>;
}

/** Events through a transport. @internal */
export function createEvents<Types extends EventTypeMap>(transport: Transport): Events<Types> {
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
