import type { EventCatalogue, SynapEvent } from "@synap/types";
import { type AppendOutcome, ID_CONFLICT, rejected, STREAM_CLOSED } from "../append/append-outcome.ts";
import { checkEvent } from "../append/check-event.ts";
import type { FirstEvent } from "../append/find-duplicates.ts";
import type { AppendOptions, EventStore } from "../event-store.ts";
import { collectResults } from "../streams/append-to-streams.ts";
import { prepareAppend } from "../streams/prepare-append.ts";
import type { StreamAppend, StreamAppendResult, StreamsAppendOptions } from "../streams/stream-append.ts";
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
export function createMemoryEventStore(options: MemoryEventStoreOptions): EventStore {
  const { catalogue, lateness, ahead } = options;
  const clock = options.clock ?? (() => new Date());
  const log = new MemoryLog();
  const listeners = new Set<() => void>();

  function wake(): void {
    for (const listener of listeners) listener();
  }

  function appendBatch(events: readonly SynapEvent[], how: AppendOptions = {}): AppendOutcome[] {
    refuseTransaction(how);
    const { timestamps } = how;
    const checked = events.map((event) =>
      checkEvent(event, { catalogue, clock, lateness, ahead, timestamps }),
    );
    const sound = checked.flatMap((each) => (each.ok ? [each.event] : []));
    const outcomes: AppendOutcome[] = [];
    for (let start = 0; start < sound.length; start += 1024) {
      outcomes.push(...storeSound(sound.slice(start, start + 1024)));
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

  function storeSound(events: readonly SynapEvent[]): AppendOutcome[] {
    const verdicts = log.judge(events);
    const answers = log.store(verdicts, clock());
    return verdicts.map(({ event, status }, place): AppendOutcome => {
      if (status === "conflict") return rejected(event.id, ID_CONFLICT);
      const stored = answers[place];
      if (status === "closed" || stored === undefined) return rejected(event.id, STREAM_CLOSED);
      return { status, id: stored.id, position: stored.position, streamVersion: stored.streamVersion };
    });
  }

  function appendToStreams(
    appends: readonly StreamAppend[],
    how: StreamsAppendOptions = {},
  ): StreamAppendResult[] {
    refuseTransaction(how);
    const { timestamps, checks = [] } = how;
    const prepared = prepareAppend(appends, checks, { catalogue, clock, lateness, ahead, timestamps });
    const results = collectResults(appends, appendToMemory(log, prepared, clock()));
    wake();
    return results;
  }

  return {
    append: async (event, how) => {
      const [outcome] = appendBatch([event], how);
      if (outcome === undefined) throw new Error(`The append of ${event.id} has no outcome.`);
      return outcome;
    },
    appendBatch: async (events, how) => appendBatch(events, how),
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
    appendToStream: async (stream, expectedVersion, events, how) => {
      const [result] = appendToStreams([{ stream, expectedVersion, events }], how);
      if (result === undefined) throw new Error("The append has no result.");
      return result;
    },
    appendToStreams: async (appends, how) => appendToStreams(appends, how),
    closeStream: async (stream, expected, how) => {
      refuseTransaction(how);
      closeInMemory(log, stream, expected, clock());
    },
    getStream: async (stream, how) => {
      refuseTransaction(how);
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
