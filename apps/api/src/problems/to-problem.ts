import {
  DatabaseUnavailableError,
  EventFilterError,
  EventIdConflictError,
  EventsArchivedError,
  InvalidCursorError,
  KeyProviderError,
  OptimisticLockError,
  PositionLostError,
  StreamClosedError,
  StreamLockedError,
  TransactionEndedError,
  VisibilityUnavailableError,
} from "@synap/database";
import { isTransient, PeriodTooLargeError, StreamTakenError, sqlState } from "@synap/database/internal";
import {
  AggregateConflictError,
  AsOfTooLongError,
  CommandKeyReusedError,
  CommandRefusedError,
  CutoverRefusedError,
  DeadLetterNotFoundError,
  DeadLetterNotRetryableError,
  DeadLetterResolvedError,
  EventVersionNewerError,
  InlineHandlerError,
  ProjectionChangedError,
  ProjectionConflictError,
  ProjectionNotFoundError,
  SinkNotFoundError,
  TransientHandlerError,
} from "@synap/handlers";
import { NothingToResolveError } from "@synap/handlers/internal";
import { type EventIssue, EventValidationError, MomentInFutureError } from "@synap/types";
import { isProblemCode, type ProblemCode } from "@synap/types/http";
import { HTTPException } from "hono/http-exception";
import { PublisherClosedError, PublisherFullError } from "../broker/publisher.ts";
import { FunctionsNotRegisteredError } from "../broker/ready-workers.ts";
import { Problem } from "./problem.ts";

/** Maps an error to a problem. An unexpected one becomes an internal error, whose reason is only logged. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof EventValidationError) return eventProblem(error.issues);
  if (error instanceof PublisherFullError) {
    return new Problem("publisher-full", "Too many events are waiting for the broker. Send again later.", {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  if (error instanceof FunctionsNotRegisteredError) {
    return new Problem("functions-not-registered", `${error.message} Start a worker, and send again.`, {
      retryAfterSeconds: 2,
      cause: error,
    });
  }
  if (error instanceof PublisherClosedError) {
    return new Problem("shutting-down", "This process is shutting down. Send again.", {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  if (error instanceof InvalidCursorError) {
    return new Problem("cursor-invalid", "Use a cursor from an earlier page of the same query, unchanged.", {
      errors: [{ path: "cursor", code: "cursor-invalid", reason: error.message }],
      cause: error,
    });
  }
  if (error instanceof PositionLostError) {
    const { position, resumeAfter, epoch } = error;
    const members = { position, resumeAfter, ...(epoch !== undefined && { epoch }) };
    return new Problem("position-lost", error.message, { members, cause: error });
  }
  if (error instanceof EventsArchivedError) {
    const { chunk, firstPosition, lastPosition } = error;
    const members = { chunk, firstPosition, lastPosition };
    return new Problem("events-archived", error.message, { members, cause: error });
  }
  if (error instanceof EventFilterError) {
    const code = error.code === "FILTER_TOO_WIDE" ? "filter-too-wide" : "parameter-invalid";
    const { condition: path, reason } = error;
    return new Problem(code, error.message, { errors: [{ path, code, reason }], cause: error });
  }
  if (error instanceof MomentInFutureError) {
    const { message: reason, parameter: path } = error;
    const errors = [{ path, code: "moment-in-future", reason }];
    return new Problem("moment-in-future", reason, { errors, cause: error });
  }
  if (error instanceof PeriodTooLargeError) {
    const { message: reason } = error;
    const errors = [{ path: "from", code: "period-too-large", reason }];
    return new Problem("period-too-large", reason, { errors, cause: error });
  }
  if (error instanceof StreamLockedError) {
    const { message, streams } = error;
    return new Problem("stream-locked", message, {
      retryAfterSeconds: 2,
      members: { streams },
      cause: error,
    });
  }
  if (error instanceof VisibilityUnavailableError) {
    const detail = "An administrator has to add a role; the log has the statements.";
    return new Problem("visibility-unavailable", detail, { cause: error });
  }
  if (error instanceof KeyProviderError) {
    const detail = "The keys of personal data can't be had; the log has the reason. Send again later.";
    return new Problem("keys-unavailable", detail, { retryAfterSeconds: 5, cause: error });
  }
  if (error instanceof DatabaseUnavailableError || isTransient(error)) {
    return new Problem("database-unavailable", "The database does not answer. Send again later.", {
      retryAfterSeconds: 2,
      cause: error,
    });
  }
  if (error instanceof TransientHandlerError) {
    return new Problem("handler-unavailable", "The handler is unavailable; the log has the reason.", {
      retryAfterSeconds: 5,
      cause: error,
    });
  }
  const refusal = adminProblem(error) ?? aggregateProblem(error) ?? streamProblem(error);
  if (refusal !== undefined) return refusal;
  if (error instanceof HTTPException && error.status < 500) {
    return new Problem("request-invalid", error.message || "The request is not valid.", { cause: error });
  }
  return new Problem(
    "internal-error",
    "The request failed. The reason is in the log under this request id.",
    {
      cause: error,
    },
  );
}

/** Problem responses of an event that is invalid by itself. */
export const EVENT_PROBLEMS = [
  "event-too-large",
  "event-invalid",
  "unknown-event-type",
  "too-deep",
  "timestamp-too-old",
  "timestamp-too-late",
  "not-yourself",
] as const satisfies readonly ProblemCode[];

/**
 * Builds the problem of a single event that was not accepted. Some issues have their own problem code.
 *
 * @param members additional members of the document
 */
export function eventProblem(
  issues: readonly EventIssue[],
  members: Readonly<Record<string, unknown>> = {},
): Problem {
  const [first] = issues;
  const code = first !== undefined && isProblemCode(first.code) ? first.code : "event-invalid";
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  const where = first === undefined || first.path === "" ? "The event" : `"${first.path}"`;
  const reason = first?.reason ?? "is not valid";
  return new Problem(code, sentence(`${where} ${reason}${more}`), { errors: issues, members });
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}

/** Errors of projections and dead letters whose message is the problem's detail. */
const ADMIN_PROBLEMS = [
  [DeadLetterNotFoundError, "dead-letter-not-found"],
  [DeadLetterResolvedError, "dead-letter-resolved"],
  [DeadLetterNotRetryableError, "dead-letter-not-retryable"],
  [ProjectionNotFoundError, "projection-not-found"],
  [SinkNotFoundError, "sink-not-found"],
  [AsOfTooLongError, "as-of-too-long"],
  [ProjectionConflictError, "projection-conflict"],
  [ProjectionChangedError, "projection-changed"],
] as const satisfies readonly (readonly [unknown, ProblemCode])[];

/** Maps the errors of projections and dead letters to problems of the admin routes. */
function adminProblem(cause: unknown): Problem | undefined {
  for (const [type, code] of ADMIN_PROBLEMS) {
    if (cause instanceof type) return new Problem(code, cause.message, { cause });
  }
  if (cause instanceof NothingToResolveError) {
    const members = { ...(cause.state !== undefined && { state: cause.state }) };
    return new Problem("nothing-to-resolve", cause.message, { cause, members });
  }
  if (cause instanceof CutoverRefusedError) {
    const { lagEvents, difference } = cause;
    const members = { lagEvents, ...(difference !== undefined && { difference }) };
    return new Problem("cutover-refused", cause.message, { cause, members });
  }
  return undefined;
}

/** Maps the errors of a valid command that was not executed to problems. */
function aggregateProblem(cause: unknown): Problem | undefined {
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
  if (cause instanceof StreamTakenError) return new Problem("stream-taken", cause.message, { cause });
  if (cause instanceof CommandKeyReusedError) {
    return new Problem("idempotency-key-reused", cause.message, { cause });
  }
  if (cause instanceof AggregateConflictError) {
    return new Problem("aggregate-contended", cause.message, { retryAfterSeconds: 1, cause });
  }
  if (cause instanceof EventVersionNewerError) {
    return new Problem("event-version-newer", cause.message, { retryAfterSeconds: 5, cause });
  }
  return undefined;
}

/** Maps an append that the store or a handler refused to a problem. */
function streamProblem(cause: unknown): Problem | undefined {
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
