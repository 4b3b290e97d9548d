import { DatabaseUnavailableError, InvalidCursorError, StreamLockedError } from "@synap/database";
import { isTransient } from "@synap/database/internal";
import { TransientHandlerError } from "@synap/handlers";
import { type EventIssue, EventValidationError } from "@synap/types";
import { isProblemCode } from "@synap/types/http";
import { HTTPException } from "hono/http-exception";
import { FunctionsNotRegisteredError } from "../acceptance/ready-workers.ts";
import { PublisherClosedError, PublisherFullError } from "../broker/publisher.ts";
import { adminProblem } from "./admin-problems.ts";
import { aggregateProblem } from "./aggregate-problems.ts";
import { Problem } from "./problem.ts";
import { streamProblem } from "./stream-problems.ts";

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
  if (error instanceof StreamLockedError) {
    const { message, streams } = error;
    return new Problem("stream-locked", message, {
      retryAfterSeconds: 2,
      members: { streams },
      cause: error,
    });
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
