import type { HandlerProcessing } from "./processing-state.ts";

/** Thrown for an event that does not wait for a decision for this handler, so that it can't be retried or skipped. */
export class NothingToResolveError extends Error {
  readonly code = "NOTHING_TO_RESOLVE";
  override readonly name = "NothingToResolveError";
  /** The state of the event for the handler; undefined if the handler does not consume its type. */
  readonly state: HandlerProcessing["state"] | undefined;

  constructor(message: string, state: HandlerProcessing["state"] | undefined) {
    super(message);
    this.state = state;
  }
}

/** Builds the error that names the state of the event, and what can be done. */
export function nothingToResolve(
  event: { readonly id: string; readonly type: string },
  handler: string,
  found: HandlerProcessing | undefined,
): NothingToResolveError {
  const about = `Handler "${handler}"`;
  if (found === undefined) {
    return new NothingToResolveError(`${about} does not handle events of type "${event.type}".`, undefined);
  }
  return new NothingToResolveError(`${about} ${reasonOf(found)}`, found.state);
}

function reasonOf({ state, deadLetter, nextAttemptAt }: HandlerProcessing): string {
  switch (state) {
    case "done":
      return "has handled this event. To have a projection handle its events again, rebuild it.";
    case "skipped":
      return "skips this event: an operator has decided so, and it stays so.";
    case "parked":
      return deadLetter === undefined
        ? "handles this event by itself, after the earlier events of its stream that are tried again, or, if it was posted by SQL, when a worker takes it up."
        : `keeps this event behind dead letter ${deadLetter}, an earlier event of its stream: retry or skip that one.`;
    case "failed":
      return `tries this event again by itself${nextAttemptAt === undefined ? "" : `, at ${nextAttemptAt}`}. It becomes a dead letter when its attempts are used up.`;
    case "pending":
      return "has not reached this event. Its lag is in the status.";
  }
}
