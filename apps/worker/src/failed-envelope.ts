import type { EventStore } from "@synap/database";
import { isTimeLimit } from "@synap/database/internal";
import { describeFailure, isTransientFailure, keepAccepted } from "@synap/handlers/internal";
import type { SynapEvent } from "@synap/types";
import { type EnvelopeStore, storeEnvelope } from "./store-envelope.ts";

/** What became of the events of an envelope that could not be stored as a whole. */
export interface SalvagedEnvelope {
  readonly events: number;
  /** Stored, or found to be stored already. */
  readonly stored: number;
  /** Kept as dead letters of `ingest-events`. */
  readonly deadLettered: number;
}

/** An append that a time limit cuts off is tried so often, for some six minutes, before an event is held to be the cause. */
const CUT_OFF_ATTEMPTS = 8;

/** Whether a time limit has cut the append off, and it has failed so often that one of its events may be the cause. */
export function isCutOffForGood(error: unknown, attempt: number): boolean {
  return attempt >= CUT_OFF_ATTEMPTS && isTimeLimit(error);
}

/**
 * Stores the events of an envelope one at a time, after storing them together has failed to the end. The ones
 * that fail again become dead letters; the rest are saved.
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
