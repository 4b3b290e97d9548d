import type { StoredEvent } from "@synap/types";
import { counted, streamKey } from "@synap/types/internal";
import type { FailedEvent } from "./held-events.ts";
import type { Sink, SinkOutcome } from "./sink.ts";
import { SinkOutcomeError } from "./sink-errors.ts";

/** The events of a batch by their outcomes. Those that wait are in neither list. */
export interface SortedEvents {
  readonly applied: readonly StoredEvent[];
  readonly failed: readonly FailedEvent[];
}

/**
 * Sorts the events of a batch by the outcomes that a sink gave.
 *
 * @param isLate true for events that were held, none of which may be left for another call
 * @throws SinkOutcomeError for outcomes that can't be those of the batch
 */
export function sortByOutcome(
  { name, promise }: Pick<Sink, "name" | "promise">,
  events: readonly StoredEvent[],
  outcomes: readonly SinkOutcome[],
  isLate: boolean,
): SortedEvents {
  if (outcomes.length !== events.length) {
    const fault = `gave ${counted(outcomes.length, "outcome")} for ${counted(events.length, "event")}`;
    throw new SinkOutcomeError(name, fault);
  }
  const applied: StoredEvent[] = [];
  const failed: FailedEvent[] = [];
  const failing = new Set<string>();
  for (const [index, event] of events.entries()) {
    const outcome = outcomes[index];
    if (outcome?.status === "applied") applied.push(event);
    if (outcome?.status !== "failed") continue;
    // The stream is held for one event: a second one would take the place of the first, which then came behind it.
    if (failing.has(streamKey(event)))
      throw new SinkOutcomeError(name, "has two events of one stream fail: the later one has to wait");
    failing.add(streamKey(event));
    failed.push({ event, error: outcome.error });
  }
  // A call that takes long may end in between, where Synap keeps the checkpoint.
  const mayLeaveSome = !isLate && !promise.keepsCheckpoint && applied.length > 0;
  if (failed.length === 0 && applied.length < events.length && !mayLeaveSome)
    throw new SinkOutcomeError(name, "has events wait, and none of them has failed");
  return { applied, failed };
}
