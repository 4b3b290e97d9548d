import type { Database, EventStore, StreamName, Transaction } from "@synap/database";
import { type AppendHook, createEventStore } from "@synap/database/internal";
import type { EventCatalogue } from "@synap/types";
import { DeadLetters, type DeadLetterTarget } from "../dead-letters/dead-letters.ts";
import type { Projection } from "../projections/projection.ts";
import { ProjectionFeeds } from "../projections/projection-feeds.ts";
import { ProjectionRegistry } from "../projections/projection-registry.ts";
import { Projections } from "../projections/projections.ts";
import { type Backoff, defaultBackoff } from "./backoff.ts";
import { handles, type IEventHandler } from "./event-handler.ts";
import { inlineContext } from "./handler-context.ts";
import type { HandlerPassError } from "./handler-errors.ts";
import { HandlerRegistry } from "./handler-registry.ts";
import { type InlineFailurePolicy, runInlineHandlers } from "./inline-handlers.ts";
import { type HandlerPass, LogFollower } from "./log-follower.ts";
import { notePassFailure } from "./pass-failures.ts";

/** Options of {@link EventDispatcher}. */
export interface EventDispatcherOptions {
  readonly database: Database;
  readonly catalogue: EventCatalogue;
  readonly handlers?: readonly IEventHandler[];
  /** The read models to keep. Several versions of one projection while the old one's builds are kept. Default: none. */
  readonly projections?: readonly Projection[];
  /** The policy for an append that an inline handler refuses. Default: `dead-letter`. */
  readonly onInlineFailure?: InlineFailurePolicy;
  /**
   * How often an asynchronous handler tries an event that fails before it becomes a dead letter. Events that PostgreSQL
   * refuses are not tried again, and transient failures don't count. Default: 5.
   */
  readonly maxAttempts?: number;
  /** Backoff between these attempts. Default: 1 s, doubling up to 30 s. */
  readonly backoff?: Backoff;
  /** Maximum number of events of a pass. The embedded engine has one session, which a pass occupies. Default: 1,000. */
  readonly passLimit?: number;
}

/**
 * Dispatches events to handlers: to the inline ones inside the append (through {@link EventDispatcher.store} or
 * {@link EventDispatcher.inlineHook}), to the asynchronous ones pass by pass.
 */
export class EventDispatcher {
  /** The handlers; more can be registered at any time before they are needed. */
  readonly registry: HandlerRegistry;
  /** The event store whose appends run the inline handlers. */
  readonly store: EventStore;
  /**
   * The same, for events that were accepted and could not be stored, however often it was tried, because a time limit cut an
   * inline handler off: the event is stored and becomes a dead letter of that handler.
   */
  readonly lastResort: Pick<EventStore, "appendBatch">;
  /** Lists, retries and skips dead letters. */
  readonly deadLetters: DeadLetters;
  /** Operates projections: status, pause, rebuild, cutover and so on. */
  readonly projections: Projections;
  readonly #database: Database;
  readonly #follower: LogFollower;
  readonly #projectionNames: readonly string[];
  readonly #feeds: ProjectionFeeds;

  /**
   * @throws DuplicateHandlerError
   * @throws UnknownEventTypeError
   */
  constructor(options: EventDispatcherOptions) {
    this.#database = options.database;
    this.registry = new HandlerRegistry(options.catalogue, options.handlers);
    const storeWith = (policy: InlineFailurePolicy) =>
      createEventStore({
        database: options.database,
        catalogue: options.catalogue,
        onAppend: this.inlineHook(policy),
      });
    this.store = storeWith(options.onInlineFailure ?? "dead-letter");
    this.lastResort = storeWith("last-resort");
    this.#follower = new LogFollower({
      database: options.database,
      store: this.store,
      retries: { maxAttempts: options.maxAttempts ?? 5, backoff: options.backoff ?? defaultBackoff },
      passLimit: options.passLimit ?? 1_000,
    });
    const { database } = options;
    const registry = new ProjectionRegistry(
      options.catalogue,
      options.projections ?? [],
      this.registry.all.map((handler) => handler.name),
    );
    const parts = { database, registry, follower: this.#follower, store: this.store };
    this.#projectionNames = registry.names;
    this.#feeds = new ProjectionFeeds(parts);
    this.projections = new Projections(parts);
    this.deadLetters = new DeadLetters(database, (name) => this.#target(name), this.store);
  }

  /** The `onAppend` of an event store that is to run this dispatcher's inline handlers under another policy. */
  inlineHook(policy: InlineFailurePolicy): AppendHook {
    return {
      handles: (type) =>
        this.registry.inline.some((handler) => handles(handler, type)) || this.#feeds.handlesInline(type),
      run: async (transaction, stored) => {
        const builds = await this.#feeds.inlineHandlers(transaction, stored);
        await runInlineHandlers([...this.registry.inline, ...builds], transaction, stored, policy);
      },
    };
  }

  /** The names that `catchUp` takes: the asynchronous handlers and the projections. */
  get followers(): readonly string[] {
    return [...this.registry.asynchronous.map((handler) => handler.name), ...this.#projectionNames];
  }

  /** Whether the name is that of a projection. */
  isProjection(name: string): boolean {
    return this.#projectionNames.includes(name);
  }

  /**
   * One pass of an asynchronous handler or of every build and segment of a projection, each in one transaction: locks
   * its checkpoint, reads on from there up to the watermark, handles, saves the checkpoint. What the handler wrote and
   * how far it came are committed together or not at all, so its effects in this database happen exactly once.
   *
   * An event that fails is isolated at once and tried again by itself, up to `maxAttempts` times; the later events of
   * its stream wait for it, and all others go on.
   *
   * @throws HandlerPassError when the pass was rolled back, because the database or what the handler needs is away; call
   * again after a while.
   * @throws UnknownHandlerError
   */
  async catchUp(name: string): Promise<HandlerPass> {
    if (this.isProjection(name)) return this.#feeds.catchUp(name, this.deadLetters);
    return this.#follower.catchUp({ handler: this.registry.getAsynchronous(name), checkpoint: name });
  }

  /** Records for the status that a pass failed, and in how many milliseconds the next one follows. */
  async notePassFailure(error: HandlerPassError, retryInMs: number): Promise<void> {
    await notePassFailure(this.#database, error, retryInMs);
  }

  /** Goes on with what a retry or skip of an inline handler's dead letter left behind when its process died. */
  async releaseInline(): Promise<number> {
    let released = 0;
    for (const { name } of this.registry.inline) released += await this.deadLetters.releaseAll(name);
    return released;
  }

  #target(name: string): DeadLetterTarget | undefined {
    const handler = this.registry.all.find((each) => each.name === name);
    if (handler === undefined) return this.#feeds.target(name);
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
