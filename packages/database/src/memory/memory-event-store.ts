import type { EventCatalogue, SynapEvent } from "@synap/types";
import { MAX_APPEND_EVENTS } from "../append/append-new-events.ts";
import { type AppendOutcome, rejected } from "../append/append-outcome.ts";
import type { FirstEvent } from "../append/find-originals.ts";
import { judgeEvents } from "../append/judge-events.ts";
import {
  checkEvent,
  collectResults,
  prepareAppend,
  type StreamAppend,
  type StreamAppendResult,
  type StreamsAppendOptions,
} from "../append/prepare-append.ts";
import type { AppendOptions, EventStore } from "../event-store.ts";
import { subscribeToAll } from "../subscriptions/subscribe-to-all.ts";
import { MemoryLog } from "./memory-log.ts";
import { queryMemory, readAllFromMemory } from "./memory-reading.ts";
import {
  appendToMemory,
  closeInMemory,
  readFromMemory,
  readPageFromMemory,
  streamInMemory,
} from "./memory-streams.ts";

export interface MemoryEventStoreOptions {
  /** What events are checked against. */
  readonly catalogue: EventCatalogue;
  /** Default: the system's. */
  readonly clock?: (() => Date) | undefined;
  /** How old a live event may be, in milliseconds. Default 7 days. */
  readonly lateness?: number | undefined;
  /** How far ahead of the clock a live event may be, in milliseconds. Default 5 minutes. */
  readonly ahead?: number | undefined;
}

/**
 * An event store that holds everything in this process's memory and loses it with the process: for tests and
 * prototypes. It keeps the same contract as the real one, but knows no transactions (a `transaction` is refused), runs
 * no handlers, and looks through all events for a query.
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

  function appendBatch(events: readonly SynapEvent[], options: AppendOptions = {}): AppendOutcome[] {
    refuseTransaction(options);
    const { timestamps } = options;
    const checked = events.map((event) =>
      checkEvent(event, { catalogue, clock, lateness, ahead, timestamps }),
    );
    const valid = checked.flatMap((each) => (each.ok ? [each.event] : []));
    const outcomes: AppendOutcome[] = [];
    for (let start = 0; start < valid.length; start += MAX_APPEND_EVENTS) {
      const lot = valid.slice(start, start + MAX_APPEND_EVENTS);
      const verdicts = judgeEvents(lot, log.known(lot));
      outcomes.push(...log.store(lot, verdicts, clock()).map(({ outcome }) => outcome));
    }
    wake();
    let next = 0;
    return checked.map((each) => {
      if (!each.ok) return rejected(each.id, ...each.issues);
      const outcome = outcomes[next];
      next += 1;
      if (outcome === undefined) throw new Error(`The append of ${each.event.id} has no outcome.`);
      return outcome;
    });
  }

  function appendToStreams(
    appends: readonly StreamAppend[],
    options: StreamsAppendOptions = {},
  ): StreamAppendResult[] {
    refuseTransaction(options);
    const { timestamps, checks = [] } = options;
    const prepared = prepareAppend(appends, checks, { catalogue, clock, lateness, ahead, timestamps });
    const results = collectResults(appends, appendToMemory(log, prepared, clock()));
    wake();
    return results;
  }

  return {
    append: async (event, options) => {
      const [outcome] = appendBatch([event], options);
      if (outcome === undefined) throw new Error(`The append of ${event.id} has no outcome.`);
      return outcome;
    },
    appendBatch: async (events, options) => appendBatch(events, options),
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
    appendToStream: async (stream, expectedVersion, events, options) => {
      const [result] = appendToStreams([{ stream, expectedVersion, events }], options);
      if (result === undefined) throw new Error("The append has no result.");
      return result;
    },
    appendToStreams: async (appends, options) => appendToStreams(appends, options),
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
    subscribeToAll: (request) =>
      subscribeToAll(
        {
          readAll: async (next) => readAllFromMemory(log, next),
          listen: async (onAppend) => {
            listeners.add(onAppend);
            return async () => {
              listeners.delete(onAppend);
            };
          },
        },
        request,
      ),
  };
}

function refuseTransaction(options: { readonly transaction?: unknown } = {}): void {
  if (options.transaction !== undefined) throw new TypeError("The store in memory knows no transactions.");
}
