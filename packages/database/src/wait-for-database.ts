import { setTimeout as sleep } from "node:timers/promises";
import { isTransient } from "./connection/database-errors.ts";

/** How long a process that starts beside its database waits for it. */
export interface OpeningPatience {
  /** In milliseconds. Default 60,000. */
  readonly patience?: number | undefined;
  /** Called each time the database does not answer, about once a second. */
  readonly onWaiting?: ((error: unknown) => void) | undefined;
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does what a process does first with its database, again and again until the database answers: machines start their
 * services in any order. Measured with a clock that nobody sets.
 *
 * @throws the last error when the patience has run out; any other error of `begin` than an absent database, at once
 */
export async function waitForDatabase<Result>(
  begin: () => Promise<Result>,
  { patience = 60_000, onWaiting, signal }: OpeningPatience = {},
): Promise<Result> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return await begin();
    } catch (error) {
      if (!isTransient(error) || performance.now() > deadline) throw error;
      signal?.throwIfAborted();
      onWaiting?.(error);
      await sleep(1_000, undefined, signal === undefined ? {} : { signal });
    }
  }
}
