/**
 * Every kind of problem the API can answer, with its HTTP status and a title that never changes. `docs/errors.md`
 * describes each one; a test holds the two lists against each other.
 */
export const PROBLEM_CODES = {
  "malformed-json": { status: 400, title: "The body is not valid JSON" },
  "invalid-utf8": { status: 400, title: "The body is not valid UTF-8" },
  "body-missing": { status: 400, title: "The body is empty" },
  "body-interrupted": { status: 400, title: "The body ended before it was complete" },
  "batch-invalid": { status: 400, title: "The body is not a batch of events" },
  "body-invalid": { status: 400, title: "The body does not have the required form" },
  "parameter-invalid": { status: 400, title: "A parameter is not valid" },
  "parameter-unknown": { status: 400, title: "A parameter is not known" },
  "cursor-invalid": { status: 400, title: "The cursor is not valid" },
  "actor-invalid": { status: 400, title: "The name of the actor is not valid" },
  "precondition-invalid": { status: 400, title: "The expected version is not valid" },
  "request-invalid": { status: 400, title: "The request is not valid HTTP" },
  "token-missing": { status: 401, title: "A token is required" },
  "token-invalid": { status: 403, title: "The token is not accepted" },
  "backfill-disabled": { status: 403, title: "Backfill is not enabled" },
  "admin-disabled": { status: 403, title: "The admin routes are not enabled" },
  "route-not-found": { status: 404, title: "There is nothing at this address" },
  "event-not-found": { status: 404, title: "There is no event with this id" },
  "dead-letter-not-found": { status: 404, title: "There is no dead letter with this id" },
  "aggregate-type-unknown": { status: 404, title: "There are no aggregates of this type" },
  "aggregate-not-found": { status: 404, title: "There is no such aggregate" },
  "version-not-found": { status: 404, title: "There is no such version" },
  "stream-not-found": { status: 404, title: "There is no such stream" },
  "projection-not-found": { status: 404, title: "There is no such projection, or no such build of it" },
  "method-not-allowed": { status: 405, title: "The method is not allowed here" },
  "request-timeout": { status: 408, title: "The request took too long to arrive" },
  "command-refused": { status: 409, title: "A business rule forbids the command" },
  "optimistic-lock": { status: 409, title: "The stream is at another version" },
  "stream-closed": { status: 409, title: "The stream is closed" },
  "dead-letter-resolved": { status: 409, title: "The dead letter is dealt with already" },
  "projection-conflict": { status: 409, title: "The projection does not allow this now" },
  "projection-changed": { status: 409, title: "The projection was changed without a new version" },
  "cutover-refused": { status: 409, title: "The new build can not take over" },
  "dead-letter-not-retryable": { status: 409, title: "The dead letter can not be retried" },
  "event-id-conflict": { status: 409, title: "The id is taken by another event" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "batch-too-large": { status: 413, title: "The batch holds too many events" },
  "event-too-large": { status: 413, title: "The event is too large" },
  "unsupported-media-type": { status: 415, title: "The content type is not supported" },
  "unsupported-encoding": { status: 415, title: "The content encoding is not supported" },
  "event-invalid": { status: 422, title: "The event is not valid" },
  "unknown-event-type": { status: 422, title: "The event type is not in the catalogue" },
  "too-deep": { status: 422, title: "The event is nested too deeply" },
  "timestamp-too-old": { status: 422, title: "The event is too old" },
  "timestamp-too-late": { status: 422, title: "The event lies in the future" },
  "command-invalid": { status: 422, title: "The command is not valid" },
  "handler-refused": { status: 422, title: "A handler refused the events" },
  "batch-rejected": { status: 422, title: "Every event of the batch was rejected" },
  "headers-too-large": { status: 431, title: "The request's headers are too large" },
  "internal-error": { status: 500, title: "Something went wrong inside Synap" },
  "aggregate-contended": { status: 503, title: "Too many change the same aggregate" },
  "publisher-full": { status: 503, title: "Synap is busy" },
  "broker-unavailable": { status: 503, title: "The event broker does not accept events" },
  "database-unavailable": { status: 503, title: "The database does not answer" },
  "read-model-missing": { status: 503, title: "The read model has not been made yet" },
  "handler-unavailable": { status: 503, title: "The handler can not work at the moment" },
  "shutting-down": { status: 503, title: "Synap is shutting down" },
  "not-ready": { status: 503, title: "Synap is not ready" },
} as const satisfies Record<string, { status: number; title: string }>;

/** The stable name of a kind of problem, for programs to decide on. */
export type ProblemCode = keyof typeof PROBLEM_CODES;

/** Whether this is the name of a kind of problem of its own. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEM_CODES, code);
}
