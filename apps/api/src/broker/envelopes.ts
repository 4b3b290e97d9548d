import { randomBytes } from "node:crypto";
import { packEvents } from "@synap/handlers/internal";
import { MAX_EVENT_BYTES, type SynapEvent } from "@synap/types";
import {
  createEventId,
  ENVELOPE_EVENT_NAME,
  MAX_ENVELOPE_EVENTS,
  MAX_PACKED_JSON_BYTES,
} from "@synap/types/internal";
import type { Logger } from "pino";
import type { EventApi, InngestBatch } from "./event-api.ts";

/** An event to be sent, serialised once for its size, the envelope and the queue's byte count. */
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

/**
 * Size of an envelope without its events, in bytes: name, id, timestamp, and fields that the broker adds, such as `user`.
 * About 200 bytes now; the rest is reserved for the broker.
 */
export const ENVELOPE_OVERHEAD_BYTES = 512;

/** Smallest permitted size limit of an envelope: it must hold the largest event. Below the 256 KiB of Inngest's free plan. */
export const MIN_ENVELOPE_BYTES = ENVELOPE_OVERHEAD_BYTES + MAX_EVENT_BYTES + 1;

/** Limits of one envelope. */
export interface EnvelopeLimits {
  /** At most 1,000, which the worker requires. */
  readonly maxEvents: number;
  /** Maximum size of the whole Inngest event as sent, in bytes. */
  readonly maxBytes: number;
  /** Maximum size of the events gathered for one envelope, as JSON, in bytes. Compressed, they usually fit into `maxBytes`. */
  readonly maxGatheredBytes: number;
}

/**
 * Bytes of JSON gathered for each byte of an envelope. Events of the seeded types have 0.29 of their size when packed
 * (docs/decisions/0024). Events that compress less are sent in several envelopes.
 */
const GATHERED_RATIO = 3;

export function envelopeLimits(maxBytes: number): EnvelopeLimits {
  return {
    maxEvents: MAX_ENVELOPE_EVENTS,
    maxBytes,
    maxGatheredBytes: Math.max(maxBytes, Math.min(GATHERED_RATIO * maxBytes, MAX_PACKED_JSON_BYTES)),
  };
}

/** Returns the size of an event in an envelope, including a comma, in bytes. */
export function sizeInEnvelope(event: { readonly bytes: number }): number {
  return event.bytes + 1;
}

/** True if an envelope with this event alone is within the limits, even if it does not compress. */
export function fitsIntoEnvelope(event: { readonly bytes: number }, limits: EnvelopeLimits): boolean {
  return ENVELOPE_OVERHEAD_BYTES + sizeInEnvelope(event) <= limits.maxBytes;
}

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

/**
 * Sends the events gathered for one envelope. Resolves with the number of events, from the first, that the broker has
 * accepted; whether it has accepted the others is unknown. Never rejects.
 */
export type EnvelopeSender = (events: readonly OutgoingEvent[]) => Promise<number>;

export interface InngestSenderOptions {
  /** Maximum size of an envelope as sent, in bytes. */
  readonly maxBytes: number;
  /** Time limit for sending one envelope, in milliseconds. */
  readonly deadlineMs: number;
  readonly logger: Logger;
}

/**
 * Creates a sender of envelopes to Inngest. Calls pack their events concurrently, and begin to send in the order of the calls.
 * Events that need several envelopes are sent one envelope after the other, until one fails. Failures are logged.
 */
export function createInngestSender(
  eventApi: Pick<EventApi, "send">,
  { maxBytes, deadlineMs, logger }: InngestSenderOptions,
): EnvelopeSender {
  /** Settles when all earlier calls have packed their events. */
  let packed: Promise<void> = Promise.resolve();

  return async (outgoing) => {
    let accepted = 0;
    try {
      const packing = packEnvelopes(outgoing, maxBytes);
      const turn = packed;
      const passOn = () => turn;
      packed = packing.then(passOn, passOn);
      const envelopes = await packing;
      await turn;
      for (const envelope of envelopes) {
        await eventApi.send(envelope, deadlineMs);
        accepted += envelope.events;
      }
    } catch (error) {
      const events = outgoing.length - accepted;
      logger.error({ err: error, events }, "The broker did not accept an envelope");
    }
    return accepted;
  };
}
