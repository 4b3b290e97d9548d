import type { Database } from "@synap/database";
import {
  type AcceptedOutcome,
  appendAcceptedEvents,
  type EventDispatcher,
  handles,
  keepRefusedEvents,
} from "@synap/handlers";
import type { SynapEvent } from "@synap/types";

/** What the functions of the worker work on. */
export interface EnvelopeStore {
  readonly database: Database;
  readonly dispatcher: EventDispatcher;
}

/** What became of an envelope, as it is shown in the Inngest dashboard. */
export interface StoredEnvelope {
  readonly events: number;
  readonly stored: number;
  /** Already stored by an earlier delivery, or sharing an idempotency key with an earlier event. */
  readonly duplicates: number;
  /** Refused by the store; kept as dead letters of `ingest-events`. */
  readonly rejected: number;
  /** The position of the last event stored. */
  readonly position?: number;
  /** How many events each inline handler was given. */
  readonly handlers: Readonly<Record<string, number>>;
  /** Why events were refused, at most ten of them. */
  readonly rejections?: readonly string[];
}

/**
 * Stores the events of one envelope, in one transaction. Events that the store refuses become dead letters
 * afterwards; until they have, the envelope counts as not stored and comes again, which changes nothing.
 *
 * @throws the database's error when it failed.
 */
export async function storeEnvelope(
  { database, dispatcher }: EnvelopeStore,
  events: readonly SynapEvent[],
): Promise<StoredEnvelope> {
  const outcomes = await appendAcceptedEvents(database, dispatcher.store, events);
  await keepRefusedEvents(database, events, outcomes);
  return summarise(dispatcher, events, outcomes);
}

function summarise(
  dispatcher: EventDispatcher,
  events: readonly SynapEvent[],
  outcomes: readonly AcceptedOutcome[],
): StoredEnvelope {
  const stored = outcomes.flatMap((outcome) => (outcome.status === "stored" ? [outcome] : []));
  const rejected = outcomes.flatMap((outcome) => (outcome.status === "refused" ? [outcome] : []));
  const storedTypes = events
    .filter((_, index) => outcomes[index]?.status === "stored")
    .map((event) => event.type);
  const handlers = dispatcher.registry.inline
    .map((handler) => [handler.name, storedTypes.filter((type) => handles(handler, type)).length] as const)
    .filter(([, count]) => count > 0);
  return {
    events: events.length,
    stored: stored.length,
    duplicates: outcomes.length - stored.length - rejected.length,
    rejected: rejected.length,
    ...(stored.length > 0 && { position: Math.max(...stored.map((outcome) => outcome.position)) }),
    handlers: Object.fromEntries(handlers),
    ...(rejected.length > 0 && {
      rejections: rejected
        .slice(0, 10)
        .map((outcome) => `${outcome.id} (${outcome.code}): ${outcome.reason}`),
    }),
  };
}
