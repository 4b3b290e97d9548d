import { isTransientFailure } from "@synap/handlers/internal";
import { type InngestFunction, RetryAfterError } from "inngest";

/** Number of retries that Inngest allows a function: 0 to 20. */
export type Retries = NonNullable<InngestFunction.Options["retries"]>;

/** Maximum number of retries that Inngest allows a function. */
export const MAX_RETRIES = 20 satisfies Retries;

const SCHEDULE_SECONDS = [1, 1, 2, 4, 8, 15, 30, 60, 120, 300] as const;
const LAST_SECONDS = 600;

/**
 * Returns the delay after an attempt (0 for the first), in seconds: one second at first, ten minutes at last. Inngest's own
 * first delay is 15 to 45 seconds, which is long for a deadlock. All {@link MAX_RETRIES} retries together take an hour and
 * fifty minutes.
 */
export function retryDelaySeconds(attempt: number): number {
  return SCHEDULE_SECONDS[attempt] ?? LAST_SECONDS;
}

/** Thrown when the store is unavailable or too busy, so the events are not the cause. */
export class StoreUnavailableError extends RetryAfterError {
  override readonly name = "StoreUnavailableError";
}

/** Thrown when storing failed for a reason that rarely goes away by itself. Retried anyway, since a deployment may fix it. */
export class StoreFailedError extends RetryAfterError {
  override readonly name = "StoreFailedError";
}

/**
 * Creates the error that makes Inngest retry on Synap's schedule. Inngest keeps its name, by which `failed-envelopes`
 * distinguishes the kinds of failures.
 */
export function retryLater(error: unknown, attempt: number): RetryAfterError {
  const Kind = isTransientFailure(error) ? StoreUnavailableError : StoreFailedError;
  const reason = error instanceof Error ? error.message : String(error);
  return new Kind(reason, retryDelaySeconds(attempt) * 1_000, { cause: error });
}
