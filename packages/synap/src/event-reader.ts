import type {
  AtPoint,
  EventBatch,
  EventPage,
  EventReads,
  PageRequest,
  ReadPoint,
  SubscriptionRequest as StoreSubscription,
  StreamInfo,
  Transaction,
} from "@synap/database";
import { MAX_PAGE_EVENTS } from "@synap/database";
import { checkPosition, type PersonalData, readTrace } from "@synap/database/internal";
import type { KnownNames } from "@synap/handlers/internal";
import type {
  DescribedEventType,
  EventQuery,
  EventReader,
  EventTypeMap,
  PartOf,
  ReadOptions,
  StoredEvent,
  StoredEventIn,
  StreamName,
  StreamRead,
  SubscriptionRequest,
  TypedEventCatalogue,
} from "@synap/types";
import { allEventTypes, describeEventType, describeEventTypes, findEventType } from "@synap/types/internal";

/** A transaction of `synap.transaction`, in which to read. */
interface InTransaction {
  readonly transaction?: Transaction | undefined;
}

/** A page of events and its size. */
export interface QueryPage extends Pick<PageRequest, "cursor"> {
  /** Maximum number of events, 1 to 1,000. Fewer when they are large. Default 100. */
  readonly limit?: number | undefined;
}

/** Start, filter and batches of a subscription. */
export interface BatchSubscription<Name extends string = string>
  extends Omit<SubscriptionRequest<Name>, "onProgress">,
    Pick<StoreSubscription, "batchSize" | "maxBatchBytes" | "pollInterval"> {}

/** Reading of stored events in the application's own process. */
export interface ApplicationReader<Types extends EventTypeMap> extends EventReader<Types> {
  /** The same, inside a transaction if one is given. */
  readStream(
    stream: StreamName,
    read?: StreamRead & InTransaction,
  ): AsyncGenerator<StoredEventIn<Types>, void, void>;
  getStream(stream: StreamName, options?: ReadOptions & InTransaction): Promise<StreamInfo | undefined>;
  /** One page of a query, with cursors for the pages before and after it. @throws UnknownNameError as `query` */
  queryPage<const Name extends keyof Types & string = keyof Types & string>(
    query: Omit<EventQuery<Name, PartOf<Types[Name]>>, "pageSize" | "signal">,
    page?: QueryPage,
  ): Promise<EventPage<StoredEventIn<Types, Name>>>;
  /**
   * A subscription in batches, so that a program can save the position of a batch in the transaction of its effects.
   * @throws UnknownNameError as `subscribe`
   */
  subscribeInBatches<const Name extends keyof Types & string = keyof Types & string>(
    request?: BatchSubscription<Name>,
  ): AsyncGenerator<EventBatch<StoredEventIn<Types, Name>>, void, void>;
}

const PAGE_SIZE = 100;

/** Parts of a reader. */
export interface ReaderParts<Types extends EventTypeMap> {
  readonly reads: EventReads;
  /** The highest position that this process has appended or seen. Reads see everything up to it. */
  readonly point: ReadPoint;
  readonly catalogue: TypedEventCatalogue<Types>;
  readonly names: KnownNames;
  /** Opens personal values; undefined for an application whose events have none. */
  readonly personalData?: Pick<PersonalData, "open" | "lookUp"> | undefined;
}

/** Reads stored events with the types of a catalogue, and refuses misspelt names. */
export function createApplicationReader<Types extends EventTypeMap>({
  reads,
  point,
  catalogue,
  names,
  personalData,
}: ReaderParts<Types>): ApplicationReader<Types> {
  /** The events with their types and their personal values. */
  async function typed<Name extends keyof Types & string>(
    events: readonly StoredEvent[],
    transaction?: Transaction,
  ): Promise<readonly StoredEventIn<Types, Name>[]> {
    return catalogue.typeStored<Name>((await personalData?.open(events, { transaction })) ?? events);
  }

  const atPoint: Pick<EventReads, "getById" | "query"> = {
    getById: (id) => reads.getById(id, { point }),
    query: (filter, page) => reads.query(filter, { ...page, point }),
  };

  /** The options of a read that sees what this process has, and everything up to a position. @throws RangeError when it is none */
  function seeing(minPosition: number | undefined): AtPoint {
    checkPosition(minPosition);
    return { point, minPosition };
  }

  /** The event types of a request whose names are known. @throws RangeError, UnknownNameError */
  async function knownTypes<Name extends string>(
    type: Name | readonly Name[] | undefined,
    aggregateType: string | undefined,
  ) {
    const types = namedTypes(type);
    await names.check("event type", types);
    await names.check("aggregate type", aggregateType);
    return types;
  }

  async function readPage<Name extends keyof Types & string>(
    types: readonly Name[] | undefined,
    {
      type: _type,
      order = "desc",
      minPosition,
      ...filter
    }: Omit<EventQuery<Name, PartOf<Types[Name]>>, "pageSize" | "signal">,
    { limit = PAGE_SIZE, cursor }: QueryPage,
  ) {
    const asked = { ...filter, types };
    const stored = (await personalData?.lookUp(asked)) ?? asked;
    const page = await reads.query(stored, { limit, order, cursor, ...seeing(minPosition) });
    return { ...page, events: await typed<Name>(page.events) };
  }

  async function* readPages<Name extends keyof Types & string>(
    types: readonly Name[] | undefined,
    { pageSize: limit, signal, ...filter }: EventQuery<Name, PartOf<Types[Name]>>,
  ) {
    let cursor: string | undefined;
    do {
      signal?.throwIfAborted();
      const page = await readPage(types, filter, { limit, cursor });
      yield* page.events;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  async function* subscribeInBatches<Name extends keyof Types & string>(
    request: BatchSubscription<Name> = {},
  ) {
    const { from = "now", type, stream, signal, ...batches } = request;
    const types = await knownTypes(type, stream?.aggregateType);
    const { aggregateType, aggregateId } = stream ?? {};
    const batch = { ...batches, from, types, aggregateType, signal };
    const selected =
      aggregateType === undefined || aggregateId === undefined
        ? batch
        : { ...batch, stream: { aggregateType, aggregateId } };
    for await (const { events, ...progress } of reads.subscribeToAll(selected)) {
      yield { ...progress, events: await typed<Name>(events) };
    }
    signal?.throwIfAborted();
  }

  return {
    subscribeInBatches,
    async queryPage(query, page = {}) {
      return readPage(await knownTypes(query.type, query.aggregateType), query, page);
    },
    async *eventTypes({ signal } = {}): AsyncGenerator<DescribedEventType, void, void> {
      signal?.throwIfAborted();
      yield* describeEventTypes({ types: await allEventTypes(catalogue) });
    },
    async getEventType(name, { signal } = {}) {
      signal?.throwIfAborted();
      const type = await findEventType(catalogue, name);
      return type && describeEventType(type);
    },
    async getEvent(id, { signal, minPosition } = {}) {
      signal?.throwIfAborted();
      const event = await reads.getById(id, seeing(minPosition));
      return event === undefined ? undefined : (await typed([event]))[0];
    },
    async getEventWithCaused(id, { limit = PAGE_SIZE, signal } = {}) {
      signal?.throwIfAborted();
      const stored = await reads.getById(id, { point });
      if (stored === undefined) return undefined;
      const page = await reads.query({ causationId: stored.id }, { limit, order: "asc", point });
      const { events, nextCursor } = page;
      const [event, ...caused] = await typed([stored, ...events]);
      return event && { event, caused: { events: caused, nextCursor } };
    },
    async trace(correlationId, { limit = MAX_PAGE_EVENTS, cursor, signal } = {}) {
      signal?.throwIfAborted();
      const trace = await readTrace(atPoint, correlationId, { limit, cursor });
      if (trace === undefined) return undefined;
      const events = await typed(trace.nodes.map(({ event }) => event));
      const nodes = events.map((event, index) => ({ depth: trace.nodes[index]?.depth ?? 0, event }));
      return { ...trace, nodes };
    },
    async *query<const Name extends keyof Types & string>(query: EventQuery<Name, PartOf<Types[Name]>> = {}) {
      query.signal?.throwIfAborted();
      yield* readPages(await knownTypes(query.type, query.aggregateType), query);
    },
    async *history({ aggregateType, aggregateId }, options = {}) {
      yield* readPages(undefined, { aggregateType, aggregateId, order: "asc", ...options });
    },
    async *readStream(stream, { signal, minPosition, ...read } = {}) {
      signal?.throwIfAborted();
      for await (const event of reads.readStream(stream, { ...read, ...seeing(minPosition) })) {
        yield* await typed([event], read.transaction);
        signal?.throwIfAborted();
      }
    },
    async getStream(stream, { signal, minPosition, transaction } = {}) {
      signal?.throwIfAborted();
      return reads.getStream(stream, { transaction, ...seeing(minPosition) });
    },
    async *subscribe<const Name extends keyof Types & string>(request: SubscriptionRequest<Name> = {}) {
      const { onProgress, ...rest } = request;
      let received = 0;
      for await (const { events, position, caughtUp } of subscribeInBatches(rest)) {
        yield* events;
        received += events.length;
        onProgress?.({ position, caughtUp, received });
      }
    },
  };
}

/**
 * Returns the event types that a filter names as a list, or undefined if it names none.
 * @throws RangeError for an empty list, which would select nothing
 */
function namedTypes<Name extends string>(
  type: Name | readonly Name[] | undefined,
): readonly Name[] | undefined {
  if (type === undefined) return undefined;
  const names = [type].flat() as readonly Name[];
  if (names.length === 0)
    throw new RangeError('"type" is an empty list. Leave it out for events of every type.');
  return names;
}
