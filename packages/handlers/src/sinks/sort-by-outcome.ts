import type { StoredEvent } from "@synap/types";
import { counted } from "@synap/types/internal";
import type { FailedEvent } from "./held-events.ts";
import type { SinkOutcome } from "./sink.ts";
import { SinkOutcomeError } from "./sink-errors.ts";

/** The events of a batch by their outcomes. Those that wait are in neither list. */
export interface SortedEvents {
  readonly applied: readonly StoredEvent[];
  readonly failed: readonly FailedEvent[];
}

/**
 * Sorts the events of a batch by the outcomes that a sink gave.
 *
 * @throws SinkOutcomeError for another number of outcomes, and for events that wait though none has failed
 */
export function sortByOutcome(
  sink: string,
  events: readonly StoredEvent[],
  outcomes: readonly SinkOutcome[],
): SortedEvents {
  if (outcomes.length !== events.length) {
    const fault = `gave ${counted(outcomes.length, "outcome")} for ${counted(events.length, "event")}`;
    throw new SinkOutcomeError(sink, fault);
  }
  const applied: StoredEvent[] = [];
  const failed: FailedEvent[] = [];
  for (const [index, event] of events.entries()) {
    const outcome = outcomes[index];
    if (outcome?.status === "applied") applied.push(event);
    if (outcome?.status === "failed") failed.push({ event, error: outcome.error });
  }
  if (failed.length === 0 && applied.length < events.length)
    throw new SinkOutcomeError(sink, "has events wait, and none of them has failed");
  return { applied, failed };
}
