import type { SqlSession } from "@synap/database";
import { areFunctionsRegistered } from "@synap/database/internal";
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

/** Thrown when no worker has registered the functions yet, so the broker would accept events and start nothing for them. */
export class FunctionsNotRegisteredError extends Error {
  override readonly name = "FunctionsNotRegisteredError";
  readonly code = "FUNCTIONS_NOT_REGISTERED";

  constructor() {
    super("No worker has registered its functions with the event broker yet.");
  }
}
