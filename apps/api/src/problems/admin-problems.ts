import {
  CutoverRefusedError,
  DeadLetterNotFoundError,
  DeadLetterNotRetryableError,
  DeadLetterResolvedError,
  ProjectionChangedError,
  ProjectionConflictError,
  ProjectionNotFoundError,
} from "@synap/handlers";
import { Problem } from "./problem.ts";

/** Maps the errors of projections and dead letters to problems of the admin routes. */
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
  if (cause instanceof ProjectionNotFoundError) {
    return new Problem("projection-not-found", cause.message, { cause });
  }
  if (cause instanceof ProjectionConflictError) {
    return new Problem("projection-conflict", cause.message, { cause });
  }
  if (cause instanceof ProjectionChangedError) {
    return new Problem("projection-changed", cause.message, { cause });
  }
  if (cause instanceof CutoverRefusedError) {
    const { lagEvents, difference } = cause;
    const members = { lagEvents, ...(difference !== undefined && { difference }) };
    return new Problem("cutover-refused", cause.message, { cause, members });
  }
  return undefined;
}
