import { EventIdConflictError, TransactionEndedError } from "@synap/database";
import { sqlState } from "@synap/database/internal";
import { InlineHandlerError } from "@synap/handlers";
import { Problem } from "./problem.ts";

/** Maps an append that the store or a handler refused to a problem. */
export function streamProblem(cause: unknown): Problem | undefined {
  if (cause instanceof EventIdConflictError) {
    return new Problem("event-id-conflict", cause.message, { members: { id: cause.id }, cause });
  }
  if (cause instanceof InlineHandlerError) {
    // The caller may see a handler's own error, but an error of the database may name tables and hosts.
    const reason = sqlState(cause.cause) === undefined ? cause.message : `Handler "${cause.handler}" failed.`;
    return new Problem("handler-refused", reason, { members: { handler: cause.handler }, cause });
  }
  if (cause instanceof TransactionEndedError) {
    const { handler, message } = cause;
    const detail = `${message} Send the same events again with the same ids: nothing is stored twice.`;
    return new Problem("transaction-ended", detail, {
      members: { ...(handler !== undefined && { handler }) },
      cause,
    });
  }
  return undefined;
}
