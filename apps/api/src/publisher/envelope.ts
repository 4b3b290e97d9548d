import { MAX_EVENT_BYTES, type SynapEvent } from "@synap/types";
import { MAX_ENVELOPE_EVENTS, MAX_PACKED_JSON_BYTES } from "@synap/types/internal";

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
