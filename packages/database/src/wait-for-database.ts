import { setTimeout as sleep } from "node:timers/promises";
import { isTransient } from "./connection/database-errors.ts";
import { notify } from "./observers.ts";

/** Options of a process that waits for its database on start. */
export interface OpenRetryOptions {
  /** In milliseconds. Default 60,000. */
  readonly patience?: number | undefined;
  /** Milliseconds between two attempts. Default 1,000. */
  readonly pause?: number | undefined;
  /** Called after each attempt that failed and is followed by another. */
  readonly onWaiting?: ((error: unknown) => void) | undefined;
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Repeats the first steps of a process with its database until the database answers, because machines start their
 * services in any order. Uses a monotonic clock.
 *
 * @throws the last error when the patience has run out; any other error of `begin` than an absent database, at once
 */
export async function waitForDatabase<Result>(
  begin: () => Promise<Result>,
  { patience = 60_000, pause = 1_000, onWaiting, signal }: OpenRetryOptions = {},
): Promise<Result> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return await begin();
    } catch (error) {
      if (!isTransient(error) || performance.now() > deadline) throw error;
      signal?.throwIfAborted();
      notify(onWaiting, error);
      await sleep(pause, undefined, signal === undefined ? {} : { signal });
    }
  }
}
