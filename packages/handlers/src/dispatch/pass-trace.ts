import type { StoredEvent } from "@synap/types";

/** The progress of a pass, for the report of its failure. */
export interface PassTrace {
  /** Number of events read for the handler. */
  events: number;
  /** The event being handled, if it is handled alone. */
  event?: StoredEvent | undefined;
}

/** Creates an `onAttempt` callback that keeps the event being handled in the trace. */
export function traceInto(trace: PassTrace): (event: StoredEvent | undefined) => void {
  return (event) => {
    trace.event = event;
  };
}
