import { EventIdConflictError, StreamNotFoundError } from "@synap/database";
import { InlineHandlerError } from "@synap/handlers";
import { Problem } from "./problem.ts";

/** What an append to a stream is answered that the store or a handler refuses. */
export function streamProblem(cause: unknown): Problem | undefined {
  if (cause instanceof StreamNotFoundError) return new Problem("stream-not-found", cause.message, { cause });
  if (cause instanceof EventIdConflictError) {
    return new Problem("event-id-conflict", cause.message, { members: { id: cause.id }, cause });
  }
  if (cause instanceof InlineHandlerError) {
    return new Problem("handler-refused", cause.message, { members: { handler: cause.handler }, cause });
  }
  return undefined;
}
