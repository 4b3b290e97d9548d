import type { AppendOptions, AppendOutcome, EventStore } from "@synap/database";
import type { SynapEvent } from "@synap/types";

/** Appends a batch. @throws Error when an event is not stored */
export async function appendAll(
  store: Pick<EventStore, "appendBatch">,
  events: readonly SynapEvent[],
  options?: AppendOptions,
): Promise<AppendOutcome[]> {
  const outcomes = await store.appendBatch(events, options);
  const odd = outcomes.find(({ status }) => status !== "stored");
  if (odd !== undefined) throw new Error(`An event was not stored: ${JSON.stringify(odd)}`);
  return outcomes;
}
