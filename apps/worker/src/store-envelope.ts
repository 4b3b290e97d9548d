import { type AppendOutcome, type Database, recordDeadLetter } from "@synap/database";
import { type EventDispatcher, handles } from "@synap/handlers";
import type { SynapEvent } from "@synap/types";

/** The name under which events that the store refused are kept as dead letters. */
export const INGEST_HANDLER = "ingest-events";

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
 * Timestamps are not held against the lateness window: the API did that when it accepted the event, which
 * may have waited in the queue for long.
 *
 * @throws the database's error when it failed.
 */
export async function storeEnvelope(
  { database, dispatcher }: EnvelopeStore,
  events: readonly SynapEvent[],
): Promise<StoredEnvelope> {
  const outcomes = await dispatcher.store.appendBatch(events, { timestamps: "backfill" });
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status !== "rejected") continue;
    await recordDeadLetter(database, {
      handler: INGEST_HANDLER,
      event: events[index],
      code: outcome.issues[0]?.code ?? "rejected",
      reason: rejectionReason(outcome),
      attempts: 1,
    });
  }
  return summarise(dispatcher, events, outcomes);
}

function summarise(
  dispatcher: EventDispatcher,
  events: readonly SynapEvent[],
  outcomes: readonly AppendOutcome[],
): StoredEnvelope {
  const stored = outcomes.filter((outcome) => outcome.status === "stored");
  const rejected = outcomes.filter((outcome) => outcome.status === "rejected");
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
      rejections: rejected.slice(0, 10).map((outcome) => `${outcome.id}: ${rejectionReason(outcome)}`),
    }),
  };
}

function rejectionReason(outcome: AppendOutcome & { status: "rejected" }): string {
  return outcome.issues.map((issue) => `${issue.path} ${issue.reason}`.trim()).join("; ");
}
