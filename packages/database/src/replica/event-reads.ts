import type { StoredEvent, StreamName } from "@synap/types";
import type { Database, Transaction } from "../connection/sql-session.ts";
import type { EventStore } from "../event-store.ts";
import { queryEvents } from "../queries/query-events.ts";
import type { EventFilter } from "../reading/event-filter.ts";
import type { EventPage, PageRequest } from "../reading/event-page.ts";
import { getEventById } from "../reading/get-event-by-id.ts";
import { readAll } from "../reading/read-all.ts";
import {
  checkStreamRead,
  continueAt,
  getStream,
  readStreamPage,
  type StreamInfo,
  type StreamPage,
  type StreamRead,
} from "../reading/read-stream.ts";
import { END_OF_LOG, type SubscriptionSource, subscribeToAll } from "../subscriptions/subscribe-to-all.ts";
import type { EventBatch, SubscriptionRequest } from "../subscriptions/subscription.ts";
import type { LogReader } from "../visibility/log-reader.ts";
import type { Visibility } from "../visibility/visibility.ts";
import { seeEnd } from "./horizon.ts";
import type { Replica, ReplicaWork, Served } from "./open-replica.ts";
import { type AtPoint, raisePoint } from "./read-point.ts";

/** Reading of stored events, from a replica where there is one. A store alone reads from the primary, which has every position. */
export interface EventReads {
  /** See `EventStore.getById`. */
  getById(id: string, options?: AtPoint): Promise<StoredEvent | undefined>;
  /** See `EventStore.query`. */
  query(filter: EventFilter, page: PageRequest & AtPoint): Promise<EventPage>;
  /** See `EventStore.getStream`. In a transaction, from the primary. */
  getStream(
    stream: StreamName,
    options?: { readonly transaction?: Transaction | undefined } & AtPoint,
  ): Promise<StreamInfo | undefined>;
  /** See `EventStore.readStream`. In a transaction, from the primary. */
  readStream(stream: StreamName, read?: StreamRead & AtPoint): AsyncIterable<StoredEvent>;
  /** See `EventStore.readStreamPage`. In a transaction, from the primary. */
  readStreamPage(stream: StreamName, read?: StreamRead & AtPoint): Promise<StreamPage>;
  /** See `EventStore.subscribeToAll`. */
  subscribeToAll(request: SubscriptionRequest): AsyncIterable<EventBatch>;
  /** See `EventStore.visibleTo`. Reads at the point; those of a caller who may not see every row are from the primary. */
  visibleTo(visibility: Visibility, at?: AtPoint): PageReader;
}

/** Reading page by page as a caller with a visibility. */
export type PageReader = Pick<
  LogReader,
  "getById" | "query" | "queryStream" | "readStreamPage" | "subscribeToAll"
>;

/**
 * Reads from a replica, and from the primary what the replica can't answer: also an event, a stream or a version that the replica does
 * not have.
 */
export function createReplicaReads(database: Database, store: EventStore, replica: Replica): EventReads {
  async function read<T>(at: AtPoint, work: ReplicaWork<T>, onPrimary: () => Promise<T>): Promise<T> {
    const served = await replica.read(at, work);
    if (served !== undefined) return served.answer;
    const { point } = at;
    const answer = await onPrimary();
    if (point !== undefined) raisePoint(point, (await seeEnd(database)).position);
    return answer;
  }

  async function readPage(
    stream: StreamName,
    { point, minPosition, ...request }: StreamRead & AtPoint,
  ): Promise<StreamPage> {
    checkStreamRead(request);
    const { fromVersion = 1, toVersion = 0 } = request;
    const work = async (session: Transaction) => {
      const page = await readStreamPage(database, stream, { ...request, transaction: session });
      const version = page.info?.streamVersion ?? 0;
      return version < Math.max(1, fromVersion, toVersion) ? undefined : { answer: page };
    };
    return read({ point, minPosition }, work, () => store.readStreamPage(stream, request));
  }

  async function* readStream(stream: StreamName, request: StreamRead & AtPoint) {
    for (let next: (StreamRead & AtPoint) | undefined = request; next !== undefined; ) {
      const page = await readPage(stream, next);
      yield* page.events;
      if (page.nextVersion === undefined) return;
      // Named, so that the next page is read where the stream has all of what this one saw.
      const toVersion = Math.min(
        next.toVersion ?? Number.POSITIVE_INFINITY,
        page.info?.streamVersion ?? page.nextVersion,
      );
      next = { ...next, ...continueAt({ ...next, toVersion }, page.nextVersion) };
    }
  }

  /** The primary says what "now" is, and for the first time that everything is read; from then on the replica follows it. */
  function subscriptionSource(): SubscriptionSource {
    let hasCaughtUp = false;
    return {
      async readAll(next) {
        if (next.after === END_OF_LOG.after) return store.readAll(next);
        const work = async (session: Transaction, safeNumber: number) => {
          const answer = await readAll(session, next, safeNumber);
          return answer.caughtUp && !hasCaughtUp ? undefined : { answer };
        };
        const page = await read({}, work, () => store.readAll(next));
        hasCaughtUp ||= page.caughtUp;
        return page;
      },
      listen: (onAppend) => replica.listen(onAppend),
      // A page for one that has caught up may be older than what another has seen on the primary.
      get shown() {
        return hasCaughtUp ? undefined : "what the primary has";
      },
    };
  }

  const reads: Omit<EventReads, "visibleTo"> = {
    getById: (id, at = {}) =>
      read(
        at,
        async (session) => found(await getEventById(session, id)),
        () => store.getById(id),
      ),
    query: (filter, { point, minPosition, ...page }) =>
      read(
        { point, minPosition },
        async (session) => {
          const answer = await queryEvents(session, filter, page);
          const isUnknown = filter.aggregateId !== undefined && answer.events.length === 0;
          return isUnknown ? undefined : { answer };
        },
        () => store.query(filter, page),
      ),
    getStream: (stream, { transaction, ...at } = {}) =>
      transaction === undefined
        ? read(
            at,
            async (session) => found(await getStream(session, stream)),
            () => store.getStream(stream),
          )
        : store.getStream(stream, { transaction }),
    readStream: (stream, request = {}) =>
      request.transaction === undefined ? readStream(stream, request) : store.readStream(stream, request),
    readStreamPage: (stream, request = {}) =>
      request.transaction === undefined ? readPage(stream, request) : store.readStreamPage(stream, request),
    subscribeToAll: (request) => subscribeToAll(subscriptionSource(), request),
  };

  return {
    ...reads,
    visibleTo(visibility, at = {}) {
      if (!("all" in visibility)) return store.visibleTo(visibility);
      return {
        getById: (id) => reads.getById(id, at),
        query: (filter, page) => reads.query(filter, { ...page, ...at }),
        queryStream: (filter, page) => reads.query(filter, { ...page, ...at }),
        readStreamPage: (stream, request) => reads.readStreamPage(stream, { ...request, ...at }),
        subscribeToAll: reads.subscribeToAll,
      };
    },
  };
}

function found<T>(value: T | undefined): Served<T> | undefined {
  return value === undefined ? undefined : { answer: value };
}
