import type { SqlSession } from "@synap/database";
import { areFunctionsRegistered, type RunningProcess } from "@synap/database/internal";
import { NotReadyError, type ReadinessCheck } from "@synap/service";
import { INNGEST_APP_ID } from "@synap/types/internal";

/** Time for which a negative result is cached, in milliseconds, because many requests may ask until a worker registers. */
const NOT_YET_MS = 500;

/**
 * Creates a check that a worker has registered the functions that envelopes start. A positive result is cached, because
 * the broker keeps registrations.
 */
export function createFunctionRegistration(session: SqlSession): () => Promise<boolean> {
  let isRegistered = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (isRegistered || performance.now() - askedAt < NOT_YET_MS) return isRegistered;
    isRegistered = await areFunctionsRegistered(session, INNGEST_APP_ID);
    askedAt = performance.now();
    return isRegistered;
  };
}

/** Checks that a worker has registered with the broker, so that envelopes start a function. */
export function registrationCheck(areFunctionsRegistered: () => Promise<boolean>): ReadinessCheck {
  return {
    name: "functions",
    check: async () => {
      if (!(await areFunctionsRegistered())) throw new NotReadyError("functions-not-registered");
    },
  };
}

/** Thrown when no worker has registered the functions yet, so the broker would accept events and start nothing for them. */
export class FunctionsNotRegisteredError extends Error {
  override readonly name = "FunctionsNotRegisteredError";
  readonly code = "FUNCTIONS_NOT_REGISTERED";

  constructor() {
    super("No worker has registered its functions with the broker yet.");
  }
}

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
