import type { StoredEvent } from "@synap/types";

/** What a pass learns that is needed when it fails. */
export interface PassTrace {
  /** How many events it read for the handler. */
  events: number;
  /** The event that is handled alone. */
  event?: StoredEvent | undefined;
}

/** Keeps the event that is handled alone: when the pass fails there, it is the one to name. */
export function noteInto(trace: PassTrace): (event: StoredEvent | undefined) => void {
  return (event) => {
    trace.event = event;
  };
}
