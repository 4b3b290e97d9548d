import { makeEvents } from "../events/make-events.ts";

/** The aggregate type of all events in the bodies. */
export const STREAM_TYPE = "order";

/** Bodies of requests that append one event to a new stream. */
export function makeAppendBodies(): string[] {
  return makeEvents({ count: 200, streams: 200 })
    .filter(({ aggregateType }) => aggregateType === STREAM_TYPE)
    .map(({ type, data }) => JSON.stringify({ expectedVersion: "no-stream", events: [{ type, data }] }));
}
