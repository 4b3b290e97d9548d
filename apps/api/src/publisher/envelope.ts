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
 * What an envelope adds to its events: name, id, timestamp, and what the broker adds on its side, such as `user`.
 * About 200 bytes now; the rest is room for the broker.
 */
export const ENVELOPE_OVERHEAD_BYTES = 512;

/** The smallest envelope: the largest event has room in it. Below the 256 KiB that Inngest accepts on its free plan. */
export const MIN_ENVELOPE_BYTES = ENVELOPE_OVERHEAD_BYTES + MAX_EVENT_BYTES + 1;

/** Limits of one envelope. */
export interface EnvelopeLimits {
  /** At most 1,000, on which the worker relies. */
  readonly maxEvents: number;
  /** Maximum size of the whole Inngest event as JSON, in bytes. */
  readonly maxBytes: number;
}

export function envelopeLimits(maxBytes: number): EnvelopeLimits {
  return { maxEvents: MAX_ENVELOPE_EVENTS, maxBytes };
}

/** Bytes that one event takes in an envelope: itself and a comma. */
export function sizeInEnvelope(event: { readonly bytes: number }): number {
  return event.bytes + 1;
}

/** Whether an envelope with this event alone stays within the limits. */
export function fitsIntoEnvelope(event: { readonly bytes: number }, limits: EnvelopeLimits): boolean {
  return ENVELOPE_OVERHEAD_BYTES + sizeInEnvelope(event) <= limits.maxBytes;
}

/** Sends one envelope. Resolves when the broker has accepted it, rejects when that is not known. */
export type EnvelopeSender = (events: readonly OutgoingEvent[]) => Promise<void>;

/** Sends envelopes through Inngest, each within `deadlineMs`. Failures are logged here, once per envelope. */
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
 * The envelope as a list of one Inngest event. Joined from the texts of its events, which exist already:
 * building and serialising an object would cost more than everything else here.
 *
 * The id belongs to this envelope and not to its content: all attempts to send it share the id, and the broker accepts it
 * once. The same events sent by a later request make another envelope, which the broker accepts too. An id derived from the
 * content would let the broker, which ignores a known id for a day, drop events that were accepted and are not stored.
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
