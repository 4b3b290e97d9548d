import { setTimeout as sleep } from "node:timers/promises";
import { isTransient } from "./connection/database-errors.ts";
import { notify } from "./observers.ts";

/** Options of a process that waits for its database on start. */
export interface OpenRetryOptions {
  /** Total time to wait, in milliseconds. Default 60,000. */
  readonly timeout?: number | undefined;
  /** Delay between two attempts, in milliseconds. Default 1,000. */
  readonly pause?: number | undefined;
  /** Called after each failed attempt, except the last. */
  readonly onWaiting?: ((error: unknown) => void) | undefined;
  /** Aborts the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Repeats `begin` until the database answers, because machines start their services in any order. Uses a monotonic clock.
 *
 * @throws the last error after the timeout; at once any error that is not transient
 */
export async function waitForDatabase<Result>(
  begin: () => Promise<Result>,
  { timeout = 60_000, pause = 1_000, onWaiting, signal }: OpenRetryOptions = {},
): Promise<Result> {
  const deadline = performance.now() + timeout;
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
