import { type NameOf, typedEvents } from "./application-types.ts";
import { complete, type SchemaVersions } from "./complete-event.ts";
import type {
  CallOptions,
  EventReader,
  EventsToAppend,
  EventTypeMap,
  ExpectedVersion,
  ReadOptions,
  StoredEventIn,
  StreamName,
} from "./contract.ts";
import { isProblem } from "./errors.ts";
import { eachOf } from "./pages.ts";
import { preconditionHeaders } from "./precondition-headers.ts";
import type { QueryOf } from "./requests.ts";
import type { Resource } from "./resources.ts";
import type { Transport } from "./transport.ts";

/** Options of an append. */
export interface AppendOptions extends CallOptions {
  readonly expectedVersion?: ExpectedVersion;
  /** Events of any age, not only of the last days. Needs the scope `backfill`. */
  readonly backfill?: boolean;
}

/** Commands on streams, and their events. */
export interface Streams<Types extends EventTypeMap>
  extends Pick<EventReader<Types>, "readStream" | "getStream"> {
  /**
   * Appends events to one stream, all or none. Repeating it is harmless: every event has its id before the first attempt.
   * @throws SynapProblem `optimistic-lock` with `actualVersion` when the stream is at another version, `stream-closed`,
   *   `event-invalid`, `event-id-conflict`
   */
  append<const Names extends readonly (keyof Types & string)[]>(
    stream: StreamName,
    events: EventsToAppend<Types, Names>,
    options?: AppendOptions,
  ): Promise<Resource<"StreamAppended">>;
  /**
   * Closes a stream, which then accepts no more events. Idempotent.
   * @throws SynapProblem `stream-not-found`, `optimistic-lock`
   */
  closeStream(
    stream: StreamName,
    options?: CallOptions & { readonly expectedVersion?: ExpectedVersion },
  ): Promise<Resource<"ClosedStream">>;
}

/** Streams through a transport. @internal */
export function createStreams<Types extends EventTypeMap>(
  transport: Transport,
  versions: SchemaVersions = {},
): Streams<Types> {
  async function readPage(stream: StreamName, query: QueryOf<"readStream">, options: ReadOptions) {
    try {
      return await transport.call("readStream", { path: { ...stream }, query, ...options });
    } catch (error) {
      if (isProblem(error, "stream-not-found")) return undefined;
      throw error;
    }
  }

  return {
    append(stream, events, { expectedVersion = "any", backfill, signal } = {}) {
      return transport.call("appendToStream", {
        path: { ...stream },
        body: { events: events.map((event) => complete(event, versions)), expectedVersion },
        backfill,
        signal,
      });
    },
    readStream(stream, read = {}) {
      const { direction = "forwards", fromVersion = 1, pageSize = 500, minPosition, signal } = read;
      const isForwards = direction === "forwards";
      // The last version is that of the first page, so that a stream that grows meanwhile ends too.
      let last = read.toVersion;
      return eachOf<StoredEventIn<Types>, number>(async (next) => {
        const [from, to] = isForwards ? [next ?? fromVersion, last] : [fromVersion, next ?? last];
        const query = {
          direction,
          limit: pageSize,
          fromVersion: from,
          ...(to !== undefined && { toVersion: to }),
        };
        const page = await readPage(stream, query, { signal, minPosition });
        const end = page?.events.at(-1);
        if (page === undefined || end === undefined) return { items: [], next: undefined };
        last = Math.min(page.streamVersion, last ?? page.streamVersion);
        const following = end.streamVersion + (isForwards ? 1 : -1);
        const hasMore = isForwards ? following <= last : following >= Math.max(fromVersion, 1);
        const items = typedEvents<Types, NameOf<Types>>(page.events);
        return { items, next: hasMore ? following : undefined };
      });
    },
    async getStream(stream, options = {}) {
      const page = await readPage(stream, { limit: 1 }, options);
      if (page === undefined) return undefined;
      const { streamVersion, closedAt } = page;
      return { streamVersion, ...(closedAt !== undefined && { closedAt }) };
    },
    closeStream(stream, { expectedVersion = "any", signal } = {}) {
      return transport.call("closeStream", {
        path: { ...stream },
        headers: preconditionHeaders(expectedVersion),
        signal,
      });
    },
  };
}
