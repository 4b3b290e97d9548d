import { describeFailure, isTransientFailure, keepAccepted } from "@synap/handlers";
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

/**
 * Stores the events of an envelope one at a time, after storing them together has failed to the end. The ones
 * that fail again become dead letters; the rest are saved.
 *
 * @throws the first transient failure. What was stored until then stays, and running it again is harmless.
 */
export async function salvageEnvelope(
  store: EnvelopeStore,
  events: readonly SynapEvent[],
  attempts: number,
): Promise<SalvagedEnvelope> {
  let deadLettered = 0;
  for (const event of events) {
    try {
      deadLettered += (await storeEnvelope(store, [event])).rejected;
    } catch (error) {
      if (isTransientFailure(error)) throw error;
      await keepAccepted(store.database, event, { ...describeFailure(error), attempts });
      deadLettered += 1;
    }
  }
  return { events: events.length, stored: events.length - deadLettered, deadLettered };
}
