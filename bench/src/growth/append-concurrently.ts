import type { EventStore } from "@synap/database";
import type { SynapEvent } from "@synap/types";
import { withCallers } from "../append/with-callers.ts";

/**
 * Appends events one by one, from callers that each wait for their append before the next.
 *
 * @returns events a second
 */
export async function appendConcurrently(
  store: Pick<EventStore, "append">,
  events: readonly SynapEvent[],
  callers: number,
): Promise<number> {
  const from = performance.now();
  await withCallers(callers, events, async (event) => {
    const outcome = await store.append(event);
    if (outcome.status !== "stored") throw new Error(`An event was not stored: ${JSON.stringify(outcome)}`);
  });
  return (events.length * 1_000) / (performance.now() - from);
}
