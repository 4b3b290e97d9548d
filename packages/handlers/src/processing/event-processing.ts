import type { Database, EventStore } from "@synap/database";
import { readEventsAt } from "@synap/database/internal";
import type { StoredEvent } from "@synap/types";
import type { EngineDeadLetters } from "../dead-letters/dead-letters.ts";
import type { DeadLetterOutcome } from "../dead-letters/open-dead-letter.ts";
import type { IEventHandler } from "../handler/event-handler.ts";
import type { ProjectionRegistry } from "../projections/projection-registry.ts";
import { type Consumer, readConsumers } from "./consumers.ts";
import { statesOf } from "./event-states.ts";
import { nothingToResolve } from "./processing-errors.ts";
import { findExceptions, type Progress, readProgress, readRecorded } from "./processing-facts.ts";
import { type HandlerProcessing, type ProcessingState, UNPROCESSED } from "./processing-state.ts";

/** A stored event with its state for each handler. */
export interface EventProcessing {
  readonly event: StoredEvent;
  /** True if no handler has the event pending, parked or failed. */
  readonly processed: boolean;
  readonly handlers: readonly HandlerProcessing[];
}

/** Selects unprocessed events: those with a handler in one of the states. */
export interface UnprocessedRequest {
  /** A handler, or a build of a projection. */
  readonly handler?: string | undefined;
  readonly type?: string | undefined;
  /** Default: pending, parked or failed. */
  readonly state?: (typeof UNPROCESSED)[number] | undefined;
  /** Only events with a higher position. */
  readonly after: number;
  /** Maximum number of events, 1 to 1,000. */
  readonly limit: number;
  /** The page ends with the event that reaches this size. */
  readonly maxBytes: number;
}

/** One page of unprocessed events, in the order of positions. */
export interface UnprocessedPage {
  readonly events: readonly EventProcessing[];
  /** The position to continue after, if there may be more. */
  readonly next?: number;
}

/** A decision about an event that a handler failed on. */
export type ProcessingDecision = {
  readonly handler: string;
  /** The actor, stored with the dead letter as is the reason. */
  readonly by: string;
} & (
  | { readonly action: "retry"; readonly reason?: string | undefined }
  | { readonly action: "skip"; readonly reason: string }
);

/** Maximum number of ranges of the log, of up to 10,000 events each, that one page looks through. */
const MAX_RANGES = 20;

/**
 * The processing of events by each handler and each build of a projection. It is derived from checkpoints, dead letters, parked
 * events and failures: nothing is stored for each event.
 */
export class EventProcessingReader {
  readonly #database: Database;
  readonly #store: Pick<EventStore, "getById" | "readAll">;
  readonly #deadLetters: Pick<EngineDeadLetters, "retry" | "skip">;
  readonly #handlers: () => readonly Pick<IEventHandler, "name" | "mode" | "eventTypes">[];
  readonly #registry: ProjectionRegistry;

  constructor(parts: {
    database: Database;
    store: Pick<EventStore, "getById" | "readAll">;
    deadLetters: Pick<EngineDeadLetters, "retry" | "skip">;
    handlers: () => readonly Pick<IEventHandler, "name" | "mode" | "eventTypes">[];
    registry: ProjectionRegistry;
  }) {
    this.#database = parts.database;
    this.#store = parts.store;
    this.#deadLetters = parts.deadLetters;
    this.#handlers = parts.handlers;
    this.#registry = parts.registry;
  }

  /** Reads the state of an event for each handler; undefined if no event has this id. */
  async of(id: string): Promise<EventProcessing | undefined> {
    const event = await this.#store.getById(id);
    if (event === undefined) return undefined;
    const [found] = await this.ofEach([event]);
    return found;
  }

  /** Reads the states of stored events, in their order. */
  async ofEach(events: readonly StoredEvent[]): Promise<EventProcessing[]> {
    if (events.length === 0) return [];
    const consumers = await this.#consumers();
    const progress = await readProgress(this.#database);
    return this.#statesOf(events, consumers, progress);
  }

  /**
   * Reads a page of the events that a handler has not processed: those after its checkpoint, up to the watermark, and those that
   * failed or are parked.
   */
  async unprocessed(request: UnprocessedRequest): Promise<UnprocessedPage> {
    const consumers = await this.#consumers();
    const progress = await readProgress(this.#database);
    let { after } = request;
    for (let ranges = 0; ranges < MAX_RANGES; ranges += 1) {
      const range = await this.#candidates({ ...request, after }, consumers, progress);
      const matching = (await this.#statesOf(range.events, consumers, progress)).filter(
        ({ event, handlers }) =>
          (request.type === undefined || request.type === event.type) &&
          handlers.some((each) => isWanted(each, request)),
      );
      const events = matching.slice(0, request.limit);
      if (events.length < matching.length) {
        return { events, next: events.at(-1)?.event.position ?? after };
      }
      if (range.next === undefined) return { events };
      if (events.length > 0) return { events, next: range.next };
      after = range.next;
    }
    return { events: [], next: after };
  }

  /**
   * Retries or skips the event for a handler, as `EngineDeadLetters` does with its dead letter.
   *
   * @returns undefined if no event has this id
   * @throws NothingToResolveError if the event is not an open dead letter of the handler
   * @throws as `EngineDeadLetters.retry` and `skip`
   */
  async resolve(
    id: string,
    decision: ProcessingDecision,
  ): Promise<(EventProcessing & { readonly outcome: DeadLetterOutcome }) | undefined> {
    const before = await this.of(id);
    if (before === undefined) return undefined;
    const { handler, by } = decision;
    const found = before.handlers.find((each) => each.handler === handler);
    if (found?.state !== "failed" || found.deadLetter === undefined)
      throw nothingToResolve(before.event, handler, found);
    const outcome =
      decision.action === "skip"
        ? await this.#deadLetters.skip(found.deadLetter, { by, reason: decision.reason })
        : await this.#deadLetters.retry(found.deadLetter, { by, reason: decision.reason });
    const after = await this.of(id);
    return { ...(after ?? before), outcome };
  }

  #consumers(): Promise<Consumer[]> {
    return readConsumers(this.#database, this.#handlers(), this.#registry);
  }

  async #statesOf(
    events: readonly StoredEvent[],
    consumers: readonly Consumer[],
    progress: Progress,
  ): Promise<EventProcessing[]> {
    if (events.length === 0) return [];
    const recorded = await readRecorded(
      this.#database,
      events.map(({ position }) => position),
    );
    return events.map((event) => {
      const handlers = statesOf(event, consumers, progress, recorded);
      return { event, processed: !handlers.some(({ state }) => isUnprocessed(state)), handlers };
    });
  }

  /**
   * Reads the next events that may be unprocessed: from the log after the slowest checkpoint, and from the failed and parked
   * ones. Complete up to `next`, or to the end.
   */
  async #candidates(
    request: UnprocessedRequest,
    consumers: readonly Consumer[],
    progress: Progress,
  ): Promise<{ readonly events: readonly StoredEvent[]; readonly next?: number }> {
    const { after, limit, handler, state } = request;
    // Both halves are in memory at once.
    const maxBytes = Math.ceil(request.maxBytes / 2);
    const size = limit + 1;
    const positions =
      state === "pending" ? [] : await findExceptions(this.#database, { after, limit: size, handler });
    const exceptions = await readEventsAt(this.#database, positions, maxBytes);
    const exceptionsEnd = exceptions.isCut
      ? exceptions.events.at(-1)?.position
      : positions.length === size
        ? positions.at(-1)
        : undefined;
    const log =
      state === "failed" || state === "parked"
        ? { events: [], end: undefined }
        : await this.#behind({ ...request, maxBytes, limit: size }, consumers, progress);
    const ends = [exceptionsEnd, log.end].filter((end) => end !== undefined);
    const next = ends.length === 0 ? undefined : Math.min(...ends);
    const byPosition = new Map<number, StoredEvent>();
    for (const event of [...exceptions.events, ...log.events]) {
      if (next === undefined || event.position <= next) byPosition.set(event.position, event);
    }
    const events = [...byPosition.values()].sort((a, b) => a.position - b.position);
    return { events, ...(next !== undefined && { next }) };
  }

  /** Reads the log after the slowest checkpoint. */
  async #behind(
    { after, limit, maxBytes, handler, type }: UnprocessedRequest,
    consumers: readonly Consumer[],
    progress: Progress,
  ): Promise<{ readonly events: readonly StoredEvent[]; readonly end: number | undefined }> {
    const behind = consumers.filter(
      (consumer) =>
        consumer.checkpoints.length > 0 && (handler === undefined || consumer.handler === handler),
    );
    if (behind.length === 0) return { events: [], end: undefined };
    const slowest = Math.min(
      ...behind.flatMap(({ checkpoints }) => checkpoints.map((name) => progress.positions.get(name) ?? 0)),
    );
    const types = type === undefined ? typesOf(behind) : [type];
    const page = await this.#store.readAll({
      after: Math.max(after, slowest),
      limit,
      maxBytes,
      ...(types !== "all" && { types }),
    });
    return { events: page.events, end: page.caughtUp ? undefined : page.position };
  }
}

function isWanted(
  { handler, state }: HandlerProcessing,
  request: Pick<UnprocessedRequest, "handler" | "state">,
): boolean {
  const isInState = request.state === undefined ? isUnprocessed(state) : request.state === state;
  return isInState && (request.handler === undefined || request.handler === handler);
}

function isUnprocessed(state: ProcessingState): boolean {
  return UNPROCESSED.some((each) => each === state);
}

function typesOf(consumers: readonly Consumer[]): readonly string[] | "all" {
  const types = new Set<string>();
  for (const { eventTypes } of consumers) {
    if (eventTypes === "all") return "all";
    for (const type of eventTypes) types.add(type);
  }
  return [...types];
}
