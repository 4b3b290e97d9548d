import type { AppendOutcome, Transaction } from "@synap/database";
import type { EventTypeDefinition, StoredEvent, StoredEventOf, StreamName, SynapEvent } from "@synap/types";

/**
 * The context of a handler while it handles a batch.
 *
 * Writes through `transaction` are committed together with the events (inline) or with the handler's checkpoint (async).
 */
export interface HandlerContext {
  /** The transaction of the append (inline) or of the pass (async). Statements that would end it are refused. */
  readonly transaction: Transaction;
  /**
   * Appends events in the same transaction. Outcomes come back in the order of the input. Old timestamps are accepted: a
   * handler that catches up on last year's events reacts with last year's dates.
   *
   * Only for asynchronous handlers.
   *
   * @throws RefusedReactionError when the store refuses one of them; the event that is being handled then fails.
   * @throws InlineAppendError in an inline handler.
   */
  append(events: readonly SynapEvent[]): Promise<AcceptedAppend[]>;
  /**
   * Appends events as `append` does, and returns refusals as outcomes. The caller must check each outcome.
   *
   * @throws InlineAppendError in an inline handler.
   */
  tryAppend(events: readonly SynapEvent[]): Promise<AppendOutcome[]>;
}

/** The outcome of an appended event that the store did not refuse. */
export type AcceptedAppend = Exclude<AppendOutcome, { readonly status: "rejected" }>;

/** The events that a handler of these types receives: a union discriminated by `type`, or any event. */
export type EventsOf<Events extends readonly EventTypeDefinition[] | "all"> =
  Events extends readonly EventTypeDefinition[] ? StoredEventOf<Events> : StoredEvent;

/** An event that was purged: removed from the log, because a law or a court demands it. */
export interface PurgedEvent extends StreamName {
  readonly position: number;
  readonly streamVersion: number;
}

/**
 * Code that runs for stored events: a projector maintains a read model, a reactor appends
 * further events. A system outside of the database is better followed by a sink: see `defineSink`.
 *
 * Handlers are batch-first. `handle` receives the events of a batch in the order of their positions, and
 * only those whose type it named. Batches have no meaning: the same events may be cut otherwise the next time
 * (one by one, when a batch failed), and must lead to the same rows. What a handler writes in this database
 * happens exactly once; what it does elsewhere may happen again.
 */
export interface IEventHandler<Name extends string = string> {
  /** Unique and kebab-case. Never change it: checkpoints and dead letters are stored under it. */
  readonly name: Name;
  /** One sentence for operators, shown by the status route. */
  readonly description: string;
  /** The event types it consumes, all of which the catalogue must know; `"all"` for every event. */
  readonly eventTypes: readonly string[] | "all";
  /**
   * `inline`: runs in the transaction of the append, so its rows are committed with the events. It makes every append
   * slower; keep it to one statement. `async`: runs later, from its own checkpoint, in its own transaction.
   */
  readonly mode: "inline" | "async";
  /**
   * Handles a batch. Throw a {@link TransientHandlerError} if a later retry can help, such as when an external system is
   * unavailable. Any other error counts as a failure of an event.
   */
  handle(events: readonly StoredEvent[], context: HandlerContext): Promise<void>;
  /**
   * Removes what the handler has written because of events that were purged, in its own tables and elsewhere. It receives the events of
   * every purge, of whatever types, in the order of positions and at least once. A handler that copies nothing needs none.
   */
  forget?(events: readonly PurgedEvent[], context: Pick<HandlerContext, "transaction">): Promise<void>;
  /**
   * Removes what the handler has written about a subject whose personal data was erased, in its own tables and elsewhere. It is called at
   * least once for each erasure. A handler that copies no personal data needs none.
   */
  eraseSubject?(subject: string, context: Pick<HandlerContext, "transaction">): Promise<void>;
}

/**
 * Defines a handler of certain event types. Their data is typed: inside `handle`, checking `event.type` gives `event.data`.
 *
 * @example
 * const orderMailer = defineHandler({
 *   name: "order-mailer",
 *   description: "Mails a confirmation for every order.",
 *   events: [orderPlaced],
 *   mode: "async",
 *   async handle(events) {
 *     for (const event of events) await mail(event.data.email, event.id);
 *   },
 * });
 */
export function defineHandler<
  const Events extends readonly EventTypeDefinition[] | "all",
  const Name extends string,
>(definition: {
  /** Unique and kebab-case. Never change it: checkpoints and dead letters are stored under it. */
  readonly name: Name;
  /** One sentence for operators, shown by the status route. */
  readonly description: string;
  readonly events: Events;
  /** See {@link IEventHandler.mode}. */
  readonly mode: "inline" | "async";
  handle(events: readonly EventsOf<Events>[], context: HandlerContext): Promise<void>;
  /** See {@link IEventHandler.forget}. */
  forget?(events: readonly PurgedEvent[], context: Pick<HandlerContext, "transaction">): Promise<void>;
  /** See {@link IEventHandler.eraseSubject}. */
  eraseSubject?(subject: string, context: Pick<HandlerContext, "transaction">): Promise<void>;
}): IEventHandler<Name> {
  const { name, description, events, mode, forget, eraseSubject } = definition;
  return {
    name,
    description,
    mode,
    eventTypes: namesOf(events),
    // Only events of these types are handed over, each checked against its schema when it was stored.
    handle: (stored, context) => definition.handle(stored as readonly EventsOf<Events>[], context),
    ...(forget !== undefined && { forget: (purged, context) => forget.call(definition, purged, context) }),
    ...(eraseSubject !== undefined && {
      eraseSubject: (subject, context) => eraseSubject.call(definition, subject, context),
    }),
  };
}

/** The names of event types, by which handlers and projections are looked up. */
export function namesOf(events: readonly EventTypeDefinition[] | "all"): readonly string[] | "all" {
  return events === "all" ? "all" : events.map(({ name }) => name);
}

/** True if the handler consumes events of this type. */
export function handles(handler: Pick<IEventHandler, "eventTypes">, type: string): boolean {
  return handler.eventTypes === "all" || handler.eventTypes.includes(type);
}
