import type { EventStore } from "@synap/database";
import type { SynapEvent } from "@synap/types";

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
  const queue = events.values();
  const from = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let next = queue.next(); !next.done; next = queue.next()) {
        const outcome = await store.append(next.value);
        if (outcome.status !== "stored") {
          throw new Error(`An event was not stored: ${JSON.stringify(outcome)}`);
        }
      }
    }),
  );
  return (events.length * 1_000) / (performance.now() - from);
}
