import type { SqlSession } from "@synap/database";
import { areFunctionsRegistered } from "@synap/database/internal";
import { INNGEST_APP_ID } from "@synap/types/internal";

/** Time for which a negative answer is cached, in milliseconds: a worker registers once, and many requests may wait for it. */
const NOT_YET_MS = 500;

/**
 * Checks whether a worker has registered the functions that envelopes start. A positive answer is cached:
 * what was registered once stays known to the broker.
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

/** No worker has registered the functions yet: the broker would take events and start nothing for them. */
export class FunctionsNotRegisteredError extends Error {
  override readonly name = "FunctionsNotRegisteredError";
  readonly code = "FUNCTIONS_NOT_REGISTERED";

  constructor() {
    super("No worker has registered its functions with the event broker yet.");
  }
}
