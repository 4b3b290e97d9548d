import type { EventCatalogue } from "@synap/types";
import { appendMethods } from "../append/append-methods.ts";
import { MAX_APPEND_EVENTS } from "../append/append-new-events.ts";
import type { FirstEvent } from "../append/find-originals.ts";
import { type AppendedEvent, judgeEvents } from "../append/judge-events.ts";
import type { EventStore } from "../event-store.ts";
import { UNSEALED } from "../personal-data/personal-data.ts";
import type { ReadAllRequest } from "../reading/read-all.ts";
import { subscribeToAll } from "../subscriptions/subscribe-to-all.ts";
import type { EventBatch, SubscriptionRequest } from "../subscriptions/subscription.ts";
import { MemoryLog, type ShownLog } from "./memory-log.ts";
import { queryMemory, readAllFromMemory } from "./memory-reading.ts";
import {
  appendToMemory,
  closeInMemory,
  readFromMemory,
  readPageFromMemory,
  streamInMemory,
} from "./memory-streams.ts";
import { visibleMemoryLog } from "./visible-memory-log.ts";

export interface MemoryEventStoreOptions {
  /** The catalogue against which events are validated. */
  readonly catalogue: EventCatalogue;
  /** The clock. Default: the system's. */
  readonly clock?: (() => Date) | undefined;
  /** Maximum age of a live event, in milliseconds. Default 7 days. */
  readonly lateness?: number | undefined;
  /** Maximum lead of a live event over the clock, in milliseconds. Default 5 minutes. */
  readonly ahead?: number | undefined;
}

/**
 * Creates an event store in this process's memory, whose content is lost with the process: for tests and
 * prototypes. It has the same contract as the real one, but no transactions (a `transaction` is refused), runs
 * no handlers, and scans all events for a query.
 */
export function createMemoryEventStore({
  catalogue,
  lateness,
  ahead,
  clock = () => new Date(),
}: MemoryEventStoreOptions): EventStore {
  const log = new MemoryLog();
  const listeners = new Set<() => void>();

  function wake(): void {
    for (const listener of listeners) listener();
  }

  function follow(from: ShownLog, request: SubscriptionRequest, shown?: string): AsyncIterable<EventBatch> {
    const source = {
      readAll: async (next: ReadAllRequest) => readAllFromMemory(from, next),
      listen: async (onAppend: () => void) => {
        listeners.add(onAppend);
        return async () => {
          listeners.delete(onAppend);
        };
      },
      shown,
    };
    return subscribeToAll(source, request);
  }

  const appends = appendMethods(
    { catalogue, clock, lateness, ahead, personalData: UNSEALED },
    {
      findAmended: async (id) => log.findById(id),
      async appendEvents(events, options) {
        refuseTransaction(options);
        const appended: AppendedEvent[] = [];
        for (let start = 0; start < events.length; start += MAX_APPEND_EVENTS) {
          const slice = events.slice(start, start + MAX_APPEND_EVENTS);
          appended.push(...log.store(slice, judgeEvents(slice, log.state(slice)), clock()));
        }
        wake();
        return appended;
      },
      async appendPrepared(prepared, options) {
        refuseTransaction(options);
        const appended = appendToMemory(log, prepared, clock());
        wake();
        return appended;
      },
    },
  );

  return {
    ...appends,
    getById: async (id) => log.findById(id),
    query: (filter, page) => queryMemory(log, filter, page),
    readAll: async (request) => {
      refuseTransaction(request);
      return readAllFromMemory(log, request);
    },
    findDuplicates: async (candidates) => {
      const found = new Map<string, FirstEvent>();
      for (const { id, createdBy, idempotencyKey } of candidates) {
        const first = log.findById(id) ?? log.findByKey(createdBy, idempotencyKey);
        if (first !== undefined) found.set(id, { id: first.id, position: first.position });
      }
      return found;
    },
    closeStream: async (stream, expected, options) => {
      refuseTransaction(options);
      closeInMemory(log, stream, expected, clock());
    },
    getStream: async (stream, options) => {
      refuseTransaction(options);
      return streamInMemory(log, stream);
    },
    readStream: (stream, read = {}) => {
      refuseTransaction(read);
      return readFromMemory(log, stream, read);
    },
    readStreamPage: async (stream, read = {}) => {
      refuseTransaction(read);
      return readPageFromMemory(log, stream, read);
    },
    subscribeToAll: (request) => follow(log, request),
    visibleTo: (visibility) => {
      const shown = visibleMemoryLog(log, visibility);
      return {
        getById: async (id) => shown.findById(id),
        query: (filter, page) => queryMemory(shown, filter, page),
        queryStream: (filter, page) =>
          queryMemory({ events: shown.findStream(filter)?.events ?? [] }, filter, page),
        readAll: async (request) => readAllFromMemory(shown, request),
        getStream: async (stream) => streamInMemory(shown, stream),
        readStream: (stream, read = {}) => readFromMemory(shown, stream, read),
        readStreamPage: async (stream, read = {}) => readPageFromMemory(shown, stream, read),
        subscribeToAll: (request) => follow(shown, request, JSON.stringify(visibility)),
      };
    },
  };
}

function refuseTransaction(options: { readonly transaction?: unknown } = {}): void {
  if (options.transaction !== undefined)
    throw new TypeError("The in-memory store has no transactions: omit the option transaction.");
}
