import type { Database, EventStore } from "@synap/database";
import {
  type AcceptedOutcome,
  appendAroundLocks,
  type EventDispatcher,
  handles,
  keepRefusedEvents,
} from "@synap/handlers/internal";
import type { ProcessMetrics } from "@synap/service";
import type { SynapEvent } from "@synap/types";
import { counted } from "@synap/types/internal";

/** Dependencies of the worker's functions. */
export interface EnvelopeStore {
  readonly database: Database;
  readonly dispatcher: EventDispatcher;
  readonly metrics: ProcessMetrics;
}

/** The outcome of an envelope, as the Inngest dashboard shows it. */
export interface StoredEnvelope {
  readonly events: number;
  readonly stored: number;
  /** Number of events already stored by an earlier delivery, or with the idempotency key of an earlier event. */
  readonly duplicates: number;
  /** Number of events that the store refused; they are dead letters of `ingest-events`. */
  readonly rejected: number;
  /** The position of the last event stored. */
  readonly position?: number;
  /** Number of events passed to each inline handler. */
  readonly handlers: Readonly<Record<string, number>>;
  /** The reasons for which events were refused, at most ten. */
  readonly rejections?: readonly string[];
}

/** Thrown when other transactions have locked streams of an envelope. Their events are not stored yet; all others are. */
export class EnvelopeLockedError extends Error {
  override readonly name = "EnvelopeLockedError";
  readonly code = "ENVELOPE_LOCKED";

  constructor(leftOut: readonly SynapEvent[], total: number, options: ErrorOptions) {
    const streams = [...new Set(leftOut.map((event) => `${event.aggregateType} "${event.aggregateId}"`))];
    const more = streams.length > 3 ? ` and ${streams.length - 3} more` : "";
    super(
      `${counted(leftOut.length, `event of ${total} waits`, `events of ${total} wait`)} for streams that another transaction has locked: ` +
        `${streams.slice(0, 3).join(", ")}${more}`,
      options,
    );
  }
}

/**
 * Stores the events of one envelope, in one transaction if no stream is locked. Events that the store refuses become dead
 * letters afterwards. If that fails, the envelope counts as not stored and is delivered again, which is harmless.
 *
 * @param store Default: the dispatcher's store.
 * @throws EnvelopeLockedError when all events are stored except those of locked streams
 * @throws the database's error
 */
export async function storeEnvelope(
  { database, dispatcher, metrics }: EnvelopeStore,
  events: readonly SynapEvent[],
  store: Pick<EventStore, "appendBatch"> = dispatcher.store,
): Promise<StoredEnvelope> {
  const appended = await metrics.appending("envelope", () => appendAroundLocks(database, store, events));
  const judged: SynapEvent[] = [];
  const outcomes: AcceptedOutcome[] = [];
  const leftOut: SynapEvent[] = [];
  let cause: unknown;
  for (const [index, event] of events.entries()) {
    const outcome = appended[index];
    if (outcome === undefined) throw new Error(`The append of ${event.id} has no outcome.`);
    if (outcome.status === "locked") {
      leftOut.push(event);
      cause = outcome.cause;
    } else {
      judged.push(event);
      outcomes.push(outcome);
    }
  }
  await keepRefusedEvents(database, judged, outcomes);
  count(metrics, outcomes);
  if (leftOut.length > 0) throw new EnvelopeLockedError(leftOut, events.length, { cause });
  return summarise(dispatcher, events, outcomes);
}

function count(metrics: ProcessMetrics, outcomes: readonly AcceptedOutcome[]): void {
  for (const status of ["stored", "duplicate", "refused"] as const) {
    const events = outcomes.filter((outcome) => outcome.status === status).length;
    if (events > 0) metrics.ingested(status, events);
  }
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
