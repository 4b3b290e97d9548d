import { OptimisticLockError, StreamClosedError } from "@synap/database";
import { AggregateConflictError, CommandRefusedError } from "@synap/handlers";
import { Problem } from "./problem.ts";

/** Maps the errors of a valid command that was not executed to problems. */
export function aggregateProblem(cause: unknown): Problem | undefined {
  if (cause instanceof CommandRefusedError) {
    return new Problem("command-refused", cause.message, { members: { rule: cause.rule }, cause });
  }
  if (cause instanceof OptimisticLockError) {
    const { expected, actual } = cause;
    return new Problem(
      "optimistic-lock",
      `${cause.message} Read the aggregate again and repeat the command.`,
      {
        headers: { etag: `"${actual}"` },
        members: { expectedVersion: expected, actualVersion: actual },
        cause,
      },
    );
  }
  if (cause instanceof StreamClosedError) return new Problem("stream-closed", cause.message, { cause });
  if (cause instanceof AggregateConflictError) {
    return new Problem("aggregate-contended", cause.message, { retryAfterSeconds: 1, cause });
  }
  return undefined;
}
