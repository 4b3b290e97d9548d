import type { EventStore } from "@synap/database";
import { isTimeLimit } from "@synap/database/internal";
import { describeFailure, isTransientFailure, keepAccepted } from "@synap/handlers/internal";
import type { SynapEvent } from "@synap/types";
import { type EnvelopeStore, storeEnvelope } from "./store-envelope.ts";

/** The outcome of an envelope whose events could not be stored together. */
export interface SalvagedEnvelope {
  readonly events: number;
  /** Number of events stored, now or earlier. */
  readonly stored: number;
  /** Number of events recorded as dead letters of `ingest-events`. */
  readonly deadLettered: number;
}

/** Number of timed-out attempts of an append, over about six minutes, after which one of its events counts as the cause. */
const CUT_OFF_ATTEMPTS = 8;

/** True if the append has timed out so often that one of its events may be the cause. */
export function hasTimedOutTooOften(error: unknown, attempt: number): boolean {
  return attempt >= CUT_OFF_ATTEMPTS && isTimeLimit(error);
}

/**
 * Stores the events of an envelope one at a time, after every attempt to store them together has failed. Events that fail
 * again become dead letters.
 *
 * @param eventStore Default: the dispatcher's store.
 * @throws the first transient failure. Events stored before it stay stored, and repeating the call is harmless.
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
