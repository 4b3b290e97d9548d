import { isTransientFailure } from "@synap/handlers/internal";
import { type InngestFunction, RetryAfterError } from "inngest";

/** Number of retries that Inngest allows a function: 0 to 20. */
export type Retries = NonNullable<InngestFunction.Options["retries"]>;

/** Maximum number of retries that Inngest allows a function. */
export const MAX_RETRIES = 20 satisfies Retries;

const SCHEDULE_SECONDS = [1, 1, 2, 4, 8, 15, 30, 60, 120, 300] as const;
const LAST_SECONDS = 600;

/**
 * Seconds to wait after the given attempt (0 for the first). Inngest's own first wait is 15 to 45
 * seconds, which is long for a deadlock; ours begins with one second and ends with ten minutes. All
 * {@link MAX_RETRIES} retries together take an hour and fifty minutes.
 */
export function retryDelaySeconds(attempt: number): number {
  return SCHEDULE_SECONDS[attempt] ?? LAST_SECONDS;
}

/** The store is unavailable or too busy; the events are not the cause. */
export class StoreUnavailableError extends RetryAfterError {
  override readonly name = "StoreUnavailableError";
}

/** Storing failed for a reason that waiting alone rarely removes. It is retried anyway: a deployment may remove it. */
export class StoreFailedError extends RetryAfterError {
  override readonly name = "StoreFailedError";
}

/**
 * The error that makes Inngest retry on our schedule. Its name, which Inngest keeps, identifies the kind of failure to the
 * failure handler.
 */
export function retryLater(error: unknown, attempt: number): RetryAfterError {
  const Kind = isTransientFailure(error) ? StoreUnavailableError : StoreFailedError;
  const reason = error instanceof Error ? error.message : String(error);
  return new Kind(reason, retryDelaySeconds(attempt) * 1_000, { cause: error });
}
