import {
  createEventStore,
  type Database,
  type EventStore,
  lockCheckpoint,
  saveCheckpoint,
  type Transaction,
} from "@synap/database";
import type { EventCatalogue, StoredEvent } from "@synap/types";
import type { HandlerContext, IEventHandler } from "./event-handler.ts";
import { HandlerPassError, isTransientFailure } from "./handler-errors.ts";
import { HandlerRegistry } from "./handler-registry.ts";
import { type InlineFailurePolicy, runInlineHandlers } from "./inline-handlers.ts";
import { handleIsolated } from "./isolated-batch.ts";

/** What an {@link EventDispatcher} is made of. */
export interface EventDispatcherOptions {
  readonly database: Database;
  readonly catalogue: EventCatalogue;
  readonly handlers?: readonly IEventHandler[];
  /** What becomes of an append that an inline handler refuses. Default: `dead-letter`. */
  readonly onInlineFailure?: InlineFailurePolicy;
  /** How often an asynchronous batch is tried whole before it is taken apart. Default: 5. */
  readonly maxAttempts?: number;
  /** The most events of one pass. The embedded engine has one session, which a pass holds. Default: 500. */
  readonly passLimit?: number;
}

/** What one pass of an asynchronous handler did. */
export type HandlerPass =
  /** Another worker is running this handler at this moment. */
  | { readonly status: "busy" }
  | {
      readonly status: "done";
      /** Events handed to the handler, dead letters included. */
      readonly processed: number;
      readonly deadLettered: number;
      /** The checkpoint after the pass. */
      readonly position: number;
      /** Nothing was left below the watermark. */
      readonly caughtUp: boolean;
    };

/**
 * Brings events to handlers: to the inline ones inside the append (through {@link EventDispatcher.store} or
 * {@link EventDispatcher.inlineHook}), to the asynchronous ones pass by pass.
 */
export class EventDispatcher {
  /** The handlers; more can be registered at any time before they are needed. */
  readonly registry: HandlerRegistry;
  /** The event store whose appends run the inline handlers. */
  readonly store: EventStore;
  readonly #database: Database;
  readonly #maxAttempts: number;
  readonly #passLimit: number;
  /** Failed attempts at the batch behind a checkpoint. Lost with the process, which costs a few more attempts. */
  readonly #failures = new Map<string, { readonly after: number; readonly attempts: number }>();

  /**
   * @throws DuplicateHandlerError
   * @throws UnknownEventTypeError
   */
  constructor(options: EventDispatcherOptions) {
    this.registry = new HandlerRegistry(options.catalogue, options.handlers);
    this.#database = options.database;
    this.#maxAttempts = options.maxAttempts ?? 5;
    this.#passLimit = options.passLimit ?? 500;
    this.store = createEventStore({
      database: options.database,
      catalogue: options.catalogue,
      onAppend: this.inlineHook(options.onInlineFailure ?? "dead-letter"),
    });
  }

  /** The `onAppend` of an event store that is to run this dispatcher's inline handlers under another policy. */
  inlineHook(
    policy: InlineFailurePolicy,
  ): (transaction: Transaction, stored: readonly StoredEvent[]) => Promise<void> {
    return (transaction, stored) => runInlineHandlers(this.registry.inline, transaction, stored, policy);
  }

  /**
   * One pass of an asynchronous handler, in one transaction: locks its checkpoint, reads on from there up to
   * the watermark, handles, saves the checkpoint. What the handler wrote and how far it came are committed
   * together or not at all, so its effects in this database happen exactly once.
   *
   * @throws HandlerPassError when the pass was rolled back; call again after a while. After `maxAttempts`
   *   failures that are not transient the batch is taken apart and only the events that fail are set aside.
   * @throws UnknownHandlerError
   */
  async catchUp(name: string): Promise<HandlerPass> {
    const handler = this.registry.getAsynchronous(name);
    let after = 0;
    try {
      const pass = await this.#database.transaction(async (transaction) => {
        const checkpoint = await lockCheckpoint(transaction, name);
        if (checkpoint === undefined) return { status: "busy" } as const;
        after = checkpoint;
        return await this.#pass(handler, transaction, checkpoint);
      });
      if (pass.status === "done") this.#failures.delete(name);
      return pass;
    } catch (cause) {
      const transient = isTransientFailure(cause);
      const attempts = this.#attemptsAfter(name, after) + (transient ? 0 : 1);
      this.#failures.set(name, { after, attempts });
      throw new HandlerPassError({ handler: name, attempts, transient, cause });
    }
  }

  async #pass(handler: IEventHandler, transaction: Transaction, after: number): Promise<HandlerPass> {
    const page = await this.store.readAll({
      after,
      limit: this.#passLimit,
      ...(handler.eventTypes === "all" ? {} : { types: handler.eventTypes }),
      transaction,
    });
    const attempts = this.#attemptsAfter(handler.name, after);
    let deadLettered = 0;
    if (page.events.length > 0) {
      const { events } = page;
      const context = (inner: Transaction) => this.#context(inner);
      if (attempts < this.#maxAttempts) await handler.handle(events, context(transaction));
      else deadLettered = await handleIsolated({ handler, events, transaction, context, attempts });
    }
    if (page.position > after) await saveCheckpoint(transaction, handler.name, page.position);
    return {
      status: "done",
      processed: page.events.length,
      deadLettered,
      position: page.position,
      caughtUp: page.caughtUp,
    };
  }

  #context(transaction: Transaction): HandlerContext {
    return {
      transaction,
      append: (events) => this.store.appendBatch(events, { timestamps: "backfill", transaction }),
    };
  }

  #attemptsAfter(name: string, after: number): number {
    const failure = this.#failures.get(name);
    return failure?.after === after ? failure.attempts : 0;
  }
}
