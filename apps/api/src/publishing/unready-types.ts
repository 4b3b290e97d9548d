import type { RunningProcess } from "@synap/database/internal";

/**
 * Finds the event types that this API knows and some running worker does not, each with those workers. Inngest sends an
 * envelope to any worker, so such an event could be accepted and not be stored. If no worker runs, no type is refused,
 * because accepted events wait in the broker.
 */
export function unreadyTypes(others: readonly RunningProcess[]): ReadonlyMap<string, readonly string[]> {
  const unready = new Map<string, string[]>();
  for (const { role, instance, difference } of others) {
    if (role !== "worker") continue;
    for (const type of difference?.missingThere ?? []) {
      unready.set(type, [...(unready.get(type) ?? []), instance]);
    }
  }
  return unready;
}
