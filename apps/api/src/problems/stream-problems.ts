import { EventIdConflictError, StreamNotFoundError } from "@synap/database";
import { sqlState } from "@synap/database/internal";
import { InlineHandlerError } from "@synap/handlers";
import { Problem } from "./problem.ts";

/** What an append to a stream is answered that the store or a handler refuses. */
export function streamProblem(cause: unknown): Problem | undefined {
  if (cause instanceof StreamNotFoundError) return new Problem("stream-not-found", cause.message, { cause });
  if (cause instanceof EventIdConflictError) {
    return new Problem("event-id-conflict", cause.message, { members: { id: cause.id }, cause });
  }
  if (cause instanceof InlineHandlerError) {
    // What a handler throws itself is meant for the caller; an error of the database names its tables and hosts.
    const reason = sqlState(cause.cause) === undefined ? cause.message : `Handler "${cause.handler}" failed.`;
    return new Problem("handler-refused", reason, { members: { handler: cause.handler }, cause });
  }
  return undefined;
}
