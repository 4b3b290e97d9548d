import type { EventStore, Transaction } from "@synap/database";
import type { SynapEvent } from "@synap/types";
import { counted } from "@synap/types/internal";
import { readEnvelope } from "../envelope/open-envelope.ts";
import { type AcceptedOutcome, appendAcceptedEvents, keepRefusedEvents } from "../ingest/accepted-events.ts";

/** The outcome of storing the content of an `ingest-events` dead letter. */
export type AcceptedRetry =
  | {
      readonly status: "stored";
      /** Description of the outcome, stored with the dead letter. */
      readonly resolution: string;
      /** Position of the event, if the dead letter holds a single one. */
      readonly position?: number;
    }
  | { readonly status: "refused"; readonly code: string; readonly reason: string };

/**
 * Validates and appends the content of an `ingest-events` dead letter again, in this transaction. It may be one event, or a
 * whole envelope, plain or packed, of which each refused event becomes a dead letter and the rest is stored.
 */
export async function retryAccepted(
  transaction: Transaction,
  store: Pick<EventStore, "appendBatch">,
  accepted: unknown,
): Promise<AcceptedRetry> {
  const envelope = await readEnvelope(accepted, "it");
  if (envelope.ok) return retryEnvelope(transaction, store, envelope.events);
  if (!isEvent(accepted)) {
    const reason = `neither an event nor an envelope: ${envelope.reason}`;
    return { status: "refused", code: "envelope-unreadable", reason };
  }
  const [outcome] = await appendAcceptedEvents(transaction, store, [accepted], { transaction });
  if (outcome === undefined) throw new Error("The append has no outcome.");
  if (outcome.status === "refused") return outcome;
  return { status: "stored", resolution: describe(accepted, outcome), position: outcome.position };
}

async function retryEnvelope(
  transaction: Transaction,
  store: Pick<EventStore, "appendBatch">,
  events: readonly SynapEvent[],
): Promise<AcceptedRetry> {
  const outcomes = await appendAcceptedEvents(transaction, store, events, { transaction });
  await keepRefusedEvents(transaction, events, outcomes);
  const number = (status: AcceptedOutcome["status"]) =>
    outcomes.filter((one) => one.status === status).length;
  const resolution =
    `of ${counted(events.length, "event")}, newly stored: ${number("stored")}, stored already: ${number("duplicate")}, ` +
    `dead letters of their own: ${number("refused")}`;
  return { status: "stored", resolution };
}

function describe(event: SynapEvent, outcome: AcceptedOutcome & { position: number }): string {
  if (outcome.status === "stored") return `stored at position ${outcome.position}`;
  const which = outcome.id === event.id ? "" : ` as event ${outcome.id}, by its idempotency key`;
  return `was already stored at position ${outcome.position}${which}`;
}

/** Checks that the value has enough of an event for the store's validation, which reports everything else. */
function isEvent(value: unknown): value is SynapEvent {
  return typeof value === "object" && value !== null && "type" in value && "data" in value;
}
