import type { SynapEvent } from "@synap/types";

/** An event on its way out, serialised once: for its size, for the envelope, and to be counted in the queue. */
export interface OutgoingEvent {
  readonly event: SynapEvent;
  readonly json: string;
  /** The size of `json` in UTF-8. */
  readonly bytes: number;
}

export function toOutgoingEvent(event: SynapEvent): OutgoingEvent {
  const json = JSON.stringify(event);
  return { event, json, bytes: Buffer.byteLength(json) };
}
