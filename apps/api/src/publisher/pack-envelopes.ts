import { randomBytes } from "node:crypto";
import { packEvents } from "@synap/handlers/internal";
import { createEventId, ENVELOPE_EVENT_NAME } from "@synap/types/internal";
import { ENVELOPE_OVERHEAD_BYTES, type OutgoingEvent } from "./envelope.ts";
import type { InngestBatch } from "./event-api.ts";

/** An envelope, ready to be sent. */
export interface OutgoingEnvelope extends InngestBatch {
  readonly id: string;
  /** Number of events. */
  readonly events: number;
}

/**
 * Maximum size of the JSON array of events that is sent as it is, in bytes. Such a small envelope costs a broker little, and
 * people can read its events in Inngest's dashboard (docs/decisions/0024).
 */
export const MAX_PLAIN_BYTES = 8 * 1024;

/**
 * Packs events into envelopes, in order: one, unless the events compress so little that they need more. The events are then
 * divided in halves, and each half is packed by itself.
 *
 * @param maxBytes maximum size of an envelope as sent, in bytes, into which each event fits without compression
 * @param isCompressible false to send all events as they are
 * @throws RangeError when an event alone is too large
 */
export async function packEnvelopes(
  outgoing: readonly OutgoingEvent[],
  maxBytes: number,
  isCompressible = true,
): Promise<OutgoingEnvelope[]> {
  const json = `[${outgoing.map((event) => event.json).join(",")}]`;
  const bytes = outgoing.reduce((sum, event) => sum + event.bytes, outgoing.length + 1);
  const room = maxBytes - ENVELOPE_OVERHEAD_BYTES;
  let becomesSmaller = false;
  if (isCompressible && bytes > Math.min(MAX_PLAIN_BYTES, room)) {
    const events = outgoing.map(({ event }) => event);
    const packed = JSON.stringify(await packEvents(events, json));
    const packedBytes = Buffer.byteLength(packed);
    becomesSmaller = packedBytes < bytes;
    if (becomesSmaller && packedBytes <= room) return [writeEnvelope(outgoing.length, packed)];
  }
  if (bytes <= room) return [writeEnvelope(outgoing.length, `{"events":${json}}`)];
  if (outgoing.length === 1) throw new RangeError("The event does not fit into an envelope.");
  // Events that do not compress together are not compressed again in parts, which would cost as much each time.
  const half = Math.ceil(outgoing.length / 2);
  return [
    ...(await packEnvelopes(outgoing.slice(0, half), maxBytes, becomesSmaller)),
    ...(await packEnvelopes(outgoing.slice(half), maxBytes, becomesSmaller)),
  ];
}

/**
 * Writes an envelope as a JSON array of one Inngest event. The JSON of its events is joined, because building and
 * serialising an object would cost more than the rest of this function.
 *
 * The id is random, not derived from the content. All attempts to send this envelope share it, so the broker accepts it
 * once. The same events in a later request form another envelope, which the broker accepts too. With an id derived from
 * the content, the broker would ignore that envelope for a day, and events that were accepted might not be stored.
 */
function writeEnvelope(events: number, data: string): OutgoingEnvelope {
  const id = createEventId();
  return {
    id,
    events,
    json: `[{"name":"${ENVELOPE_EVENT_NAME}","id":"${id}","ts":${Date.now()},"data":${data}}]`,
    entropy: randomBytes(10).toString("base64"),
  };
}
