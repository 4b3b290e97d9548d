import { randomBytes } from "node:crypto";
import { MAX_EVENT_BYTES, type SynapEvent } from "@synap/types";
import { createEventId, ENVELOPE_EVENT_NAME, MAX_ENVELOPE_EVENTS } from "@synap/types/internal";
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

/** Minimum value of an envelope's maximum size: the largest event fits. Below the 256 KiB of Inngest's free plan. */
export const MIN_ENVELOPE_BYTES = ENVELOPE_OVERHEAD_BYTES + MAX_EVENT_BYTES + 1;

/** Limits of one envelope. */
export interface EnvelopeLimits {
  /** At most 1,000, which the worker requires. */
  readonly maxEvents: number;
  /** Maximum size of the whole Inngest event as JSON, in bytes. */
  readonly maxBytes: number;
}

export function envelopeLimits(maxBytes: number): EnvelopeLimits {
  return { maxEvents: MAX_ENVELOPE_EVENTS, maxBytes };
}

/** Returns the size of an event in an envelope, including a comma, in bytes. */
export function sizeInEnvelope(event: { readonly bytes: number }): number {
  return event.bytes + 1;
}

/** True if an envelope with this event alone is within the limits. */
export function fitsIntoEnvelope(event: { readonly bytes: number }, limits: EnvelopeLimits): boolean {
  return ENVELOPE_OVERHEAD_BYTES + sizeInEnvelope(event) <= limits.maxBytes;
}

/** Sends one envelope. Resolves when the broker has accepted it, rejects if that is unknown. */
export type EnvelopeSender = (events: readonly OutgoingEvent[]) => Promise<void>;

/** Creates a sender of envelopes to Inngest, each within `deadlineMs`. It logs failures, once per envelope. */
export function createInngestSender(
  eventApi: Pick<EventApi, "send">,
  deadlineMs: number,
  logger: Logger,
): EnvelopeSender {
  return async (outgoing) => {
    try {
      await eventApi.send(packEnvelope(outgoing), deadlineMs);
    } catch (error) {
      logger.error({ err: error, events: outgoing.length }, "The broker did not accept an envelope");
      throw error;
    }
  };
}

/**
 * Writes an envelope as a JSON array of one Inngest event. The JSON of its events is joined, because building and
 * serialising an object would cost more than the rest of this function.
 *
 * The id is random, not derived from the content. All attempts to send this envelope share it, so the broker accepts it
 * once. The same events in a later request form another envelope, which the broker accepts too. With an id derived from
 * the content, the broker would ignore that envelope for a day, and events that were accepted might not be stored.
 */
export function packEnvelope(outgoing: readonly OutgoingEvent[]): InngestBatch & { readonly id: string } {
  const events = outgoing.map(({ json }) => json).join(",");
  const id = createEventId();
  const name = ENVELOPE_EVENT_NAME;
  return {
    id,
    json: `[{"name":"${name}","id":"${id}","ts":${Date.now()},"data":{"events":[${events}]}}]`,
    entropy: randomBytes(10).toString("base64"),
  };
}
