import {
  DeadLetterNotFoundError,
  DeadLetterNotRetryableError,
  DeadLetterResolvedError,
} from "@synap/handlers";
import { Problem } from "./problem.ts";

/** What an admin route answers when the thing to be operated does not allow what was asked for. */
export function adminProblem(cause: unknown): Problem | undefined {
  if (cause instanceof DeadLetterNotFoundError) {
    return new Problem("dead-letter-not-found", cause.message, { cause });
  }
  if (cause instanceof DeadLetterResolvedError) {
    return new Problem("dead-letter-resolved", cause.message, { cause });
  }
  if (cause instanceof DeadLetterNotRetryableError) {
    return new Problem("dead-letter-not-retryable", cause.message, { cause });
  }
  return undefined;
}
