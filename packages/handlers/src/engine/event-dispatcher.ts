import type { Database, EventStore, Transaction } from "@synap/database";
import {
  type AppendHook,
  type Backoff,
  countEvents,
  createEventStore,
  defaultBackoff,
  extendChain,
  type InlineConsumer,
  type PersonalData,
  readCheckpoint,
  syncInlineConsumers,
} from "@synap/database/internal";
import type { EventCatalogue, StreamName } from "@synap/types";
import { EngineDeadLetters } from "../dead-letters/dead-letters.ts";
import { recordPassFailure } from "../dispatch/failed-passes.ts";
import type { HandlerPass } from "../dispatch/handler-pass.ts";
import { inlineConsumers } from "../dispatch/inline-consumers.ts";
import { type InlineFailurePolicy, runInlineHandlers } from "../dispatch/inline-handlers.ts";
import { LogFollower } from "../dispatch/log-follower.ts";
import type { DeadLetterTarget } from "../dispatch/release-chunk.ts";
import { handles, type IEventHandler } from "../handler/event-handler.ts";
import { inlineContext } from "../handler/handler-context.ts";
import type { HandlerPassError } from "../handler/handler-errors.ts";
import { HandlerRegistry } from "../handler/handler-registry.ts";
import { UnknownNameError } from "../known-names.ts";
import { EventProcessingReader } from "../processing/event-processing.ts";
import { ProjectionRunner } from "../projection-builds/projection-runner.ts";
import { Projections } from "../projection-builds/projections.ts";
import type { Projection } from "../projections/projection.ts";
import { ProjectionRegistry } from "../projections/projection-registry.ts";
import { removeCopies } from "../purges/remove-copies.ts";
import { createPastReads, type PastLimits, type PastReads } from "../read-models/past-reads.ts";
import { asConsumer, type Sink } from "../sinks/sink.ts";
import { SinkFollower } from "../sinks/sink-follower.ts";
import { Sinks } from "../sinks/sinks.ts";

/** Options of {@link EventDispatcher}. */
export interface EventDispatcherOptions {
  readonly database: Database;
  readonly catalogue: EventCatalogue;
  readonly handlers?: readonly IEventHandler[];
  /** The projections, with several versions of one as long as it has builds of the old version. Default: none. */
  readonly projections?: readonly Projection[];
  /** The sinks. Default: none. */
  readonly sinks?: readonly Sink[];
  /** The policy for an append that an inline handler refuses. Default: `dead-letter`. */
  readonly onInlineFailure?: InlineFailurePolicy;
  /**
   * Number of attempts after which an event that fails in an asynchronous handler becomes a dead letter. Data that
   * PostgreSQL refuses is not retried, and transient failures don't count. Default: 5.
   */
  readonly maxAttempts?: number;
  /** Backoff between these attempts. Default: 1 s, doubling up to 30 s. */
  readonly backoff?: Backoff;
  /** Maximum number of events of a pass. The embedded engine has one session, which a pass occupies. Default: 1,000. */
  readonly passLimit?: number;
  /** Seals and opens personal values; absent where no event has any. */
  readonly personalData?: PersonalData | undefined;
}

/**
 * Dispatches events to handlers: to inline handlers inside the append (through {@link EventDispatcher.store} or
 * {@link EventDispatcher.inlineHook}), to asynchronous handlers in passes along the log.
 */
export class EventDispatcher {
  /** The handlers. More can be registered before they are needed. */
  readonly registry: HandlerRegistry;
  /** The event store whose appends run the inline handlers. */
  readonly store: EventStore;
  /**
   * The event store for accepted events that no retry could store, because an inline handler ran into a time limit each
   * time: the event is stored and becomes a dead letter of that handler.
   */
  readonly lastResort: Pick<EventStore, "appendBatch">;
  /** Lists, retries and skips dead letters. */
  readonly deadLetters: EngineDeadLetters;
  /** Reads which events each handler has processed, and decides about those that failed. */
  readonly processing: EventProcessingReader;
  /** Operates projections: status, pause, rebuild, cutover and so on. */
  readonly projections: Projections;
  /** Operates sinks: status, pause and resume. */
  readonly sinks: Sinks;
  readonly #database: Database;
  readonly #follower: LogFollower;
  readonly #projectionRegistry: ProjectionRegistry;
  readonly #projectionRunner: ProjectionRunner;
  readonly #sinks: ReadonlyMap<string, SinkFollower>;
  readonly #inlineConsumers: () => InlineConsumer[];
  #isRegistered = false;

  /**
   * @throws DuplicateHandlerError
   * @throws UnknownEventTypeError
   */
  constructor(options: EventDispatcherOptions) {
    this.#database = options.database;
    const { catalogue, personalData } = options;
    // Not all of the catalogue: its schema of events is made when it is first asked for.
    const { has, get, isNewer, upcast } = catalogue;
    const types = { types: catalogue.types, has, get, isNewer, upcast, personalData };
    this.registry = new HandlerRegistry(types, options.handlers);
    const storeWith = (policy: InlineFailurePolicy) =>
      createEventStore({
        database: options.database,
        catalogue: options.catalogue,
        onAppend: this.inlineHook(policy),
        personalData,
      });
    this.store = storeWith(options.onInlineFailure ?? "dead-letter");
    this.lastResort = storeWith("last-resort");
    const retries = { maxAttempts: options.maxAttempts ?? 5, backoff: options.backoff ?? defaultBackoff };
    this.#follower = new LogFollower({
      database: options.database,
      store: this.store,
      retries,
      passLimit: options.passLimit ?? 1_000,
    });
    const { database, sinks = [] } = options;
    const readable = { ...types, mask: personalData?.mask };
    this.sinks = new Sinks(database, sinks);
    this.#sinks = new Map(
      sinks.map((sink) => [
        sink.name,
        new SinkFollower({ sink, database, store: this.store, types: readable, retries }),
      ]),
    );
    const registry = new ProjectionRegistry(
      types,
      options.projections ?? [],
      this.registry.all.map((handler) => handler.name),
    );
    const parts = { database, registry, follower: this.#follower, store: this.store };
    this.#projectionRegistry = registry;
    this.#inlineConsumers = () =>
      inlineConsumers(options.catalogue, [...this.registry.inline, ...registry.inlineVersions]);
    this.#projectionRunner = new ProjectionRunner(parts);
    this.projections = new Projections(parts);
    this.deadLetters = new EngineDeadLetters(
      database,
      (name) => this.#target(name),
      this.store,
      options.catalogue,
      (name) => this.#sinks.has(name),
    );
    const { store, deadLetters } = this;
    const consumers = sinks.map(asConsumer);
    const handlers = () => [...this.registry.all, ...consumers];
    this.processing = new EventProcessingReader({ database, store, deadLetters, handlers, registry });
  }

  /** The `onAppend` of an event store that runs this dispatcher's inline handlers under another policy. */
  inlineHook(policy: InlineFailurePolicy): AppendHook {
    return {
      handles: (type) =>
        this.registry.inline.some((handler) => handles(handler, type)) ||
        this.#projectionRunner.handlesInline(type),
      run: async (transaction, stored) => {
        const builds = await this.#projectionRunner.inlineHandlers(transaction, stored);
        await runInlineHandlers([...this.registry.inline, ...builds], transaction, stored, policy);
      },
    };
  }

  /** Makes a reader of read models as they were, or as they were known. */
  pastReads(limits: PastLimits = {}): PastReads {
    const { store } = this;
    const newest = (name: string) =>
      this.isProjection(name) ? this.#projectionRegistry.newest(name) : undefined;
    return createPastReads({ database: this.#database, store, newest, ...limits });
  }

  /** The names that `catchUp` accepts: asynchronous handlers, projections and sinks. */
  get followers(): readonly string[] {
    return [
      ...this.registry.asynchronous.map((handler) => handler.name),
      ...this.#projectionRegistry.names,
      ...this.#sinks.keys(),
    ];
  }

  /** True if a projection has this name. */
  isProjection(name: string): boolean {
    return this.#projectionRegistry.names.includes(name);
  }

  /**
   * Runs one pass of a sink, which holds no transaction, or of an asynchronous handler, or of every build and segment of a projection, each in one transaction:
   * locks the checkpoint, reads the next events up to the watermark, handles them and saves the checkpoint. The handler's
   * writes and its checkpoint are committed together, so its effects in this database happen exactly once.
   *
   * A failing event is isolated at once and retried alone, up to `maxAttempts` times. The later events of its stream wait
   * for it; all others are handled.
   *
   * @param announced the number of appends that had been announced to the caller when it decided on this pass. With it the
   *   handler shares reads of the log with others of this process; see `LogFollower.catchUp`.
   * @throws HandlerPassError when the pass was rolled back, because the database or a dependency of the handler is
   * unavailable; call again after a while.
   * @throws UnknownHandlerError
   */
  async catchUp(name: string, announced?: number): Promise<HandlerPass> {
    if (this.isProjection(name)) return this.#projectionRunner.catchUp(name, this.deadLetters, announced);
    const sink = this.#sinks.get(name);
    if (sink !== undefined) return sink.catchUp();
    const handler = this.registry.getAsynchronous(name);
    return this.#follower.catchUp({ handler, checkpoint: name }, announced);
  }

  /**
   * Reads the position up to which a handler, or the live build of a projection, has handled the log. Infinity for those that
   * run in the transaction of each append.
   * @throws UnknownNameError
   */
  async handledPosition(name: string): Promise<number> {
    if (this.isProjection(name)) return this.projections.handledPosition(name);
    if (this.registry.inline.some((handler) => handler.name === name)) return Number.POSITIVE_INFINITY;
    if (!this.followers.includes(name)) {
      throw new UnknownNameError("handler", name, [
        ...this.registry.all.map((handler) => handler.name),
        ...this.#projectionRegistry.names,
        ...this.#sinks.keys(),
      ]);
    }
    return readCheckpoint(this.#database, name);
  }

  /** Ends the passes of the sinks, closes their destinations and leaves them to other processes. They don't run again. */
  async stopSinks(): Promise<void> {
    await Promise.all([...this.#sinks.values()].map((sink) => sink.stop()));
  }

  /** Records a failed pass and the time until the next one, for the status. */
  async recordPassFailure(error: HandlerPassError, retryInMs: number): Promise<void> {
    await recordPassFailure(this.#database, error, retryInMs);
  }

  /**
   * Handles what is parked for inline handlers and may go on: events that came through SQL, and those behind a dead letter that was
   * resolved by a process which died before it could go on. Inline projections do so in `catchUp`. The first call also registers both in
   * the database, so that events that come through SQL are parked for them.
   *
   * @returns the number of handled events
   */
  async releaseInline(): Promise<number> {
    if (!this.#isRegistered) {
      await syncInlineConsumers(this.#database, this.#inlineConsumers());
      this.#isRegistered = true;
    }
    let released = 0;
    for (const { name } of this.registry.inline) released += await this.deadLetters.releaseAll(name);
    return released;
  }

  /**
   * Counts the next events for the compliance figures, which include those that are not counted yet.
   *
   * @returns false when none is left, or another process is counting
   */
  countEvents(): Promise<boolean> {
    return countEvents(this.#database);
  }

  /**
   * Adds the next block to the hash chain over the log.
   *
   * @returns false when no event is left, or another process extends it
   */
  extendChain(): Promise<boolean> {
    return extendChain(this.#database);
  }

  /** Takes the next step to remove the copies of purged events from what handlers and projections have written. */
  removePurgedCopies(): Promise<void> {
    const { projections } = this;
    const holders = { handlers: this.registry.all, registry: this.#projectionRegistry, projections };
    return removeCopies(this.#database, holders);
  }

  #target(name: string): DeadLetterTarget | undefined {
    const handler = this.registry.all.find((each) => each.name === name);
    if (handler === undefined) return this.#projectionRunner.target(name);
    if (handler.mode === "async") return this.#follower.target({ handler, checkpoint: name });
    return {
      handler,
      context: (transaction) => inlineContext(name, transaction),
      lock: lockStream,
    };
  }
}

/** Waits for running appends to a stream, in which inline handlers run, and blocks others. */
async function lockStream(transaction: Transaction, stream: StreamName): Promise<void> {
  await transaction.query("SELECT synap.lock_stream($1, $2)", [stream.aggregateType, stream.aggregateId]);
}
