import type { EventStore } from "@synap/database";
import { isTimeLimit } from "@synap/database/internal";
import { describeFailure, isTransientFailure, keepAccepted } from "@synap/handlers/internal";
import type { SynapEvent } from "@synap/types";
import { type EnvelopeStore, storeEnvelope } from "./store-envelope.ts";

/** Outcome of an envelope whose events could not be stored together. */
export interface SalvagedEnvelope {
  readonly events: number;
  /** Stored, or found to be stored already. */
  readonly stored: number;
  /** Kept as dead letters of `ingest-events`. */
  readonly deadLettered: number;
}

/** Attempts, over some six minutes, of an append that a time limit cuts off, before one of its events is taken as the cause. */
const CUT_OFF_ATTEMPTS = 8;

/** True when a time limit has cut the append off so often that one of its events may be the cause. */
export function isCutOffForGood(error: unknown, attempt: number): boolean {
  return attempt >= CUT_OFF_ATTEMPTS && isTimeLimit(error);
}

/**
 * Stores the events of an envelope one at a time, after every attempt to store them together has failed. Those
 * that fail again become dead letters; the rest are stored.
 *
 * @param eventStore Default: the dispatcher's store.
 * @throws the first transient failure. What was stored until then stays, and running it again is harmless.
 */
export async function salvageEnvelope(
  store: EnvelopeStore,
  events: readonly SynapEvent[],
  attempts: number,
  eventStore: Pick<EventStore, "appendBatch"> = store.dispatcher.store,
): Promise<SalvagedEnvelope> {
  let deadLettered = 0;
  for (const event of events) {
    try {
      deadLettered += (await storeEnvelope(store, [event], eventStore)).rejected;
    } catch (error) {
      if (isTransientFailure(error)) throw error;
      await keepAccepted(store.database, event, { ...describeFailure(error), attempts });
      deadLettered += 1;
    }
  }
  return { events: events.length, stored: events.length - deadLettered, deadLettered };
}
