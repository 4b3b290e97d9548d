import { MAX_ENVELOPE_EVENTS, MAX_EVENT_BYTES } from "@synap/types";

/**
 * What an envelope adds to its events: name, id, timestamp, and what the broker adds on its side, such as `user`.
 * About 200 bytes now; the rest is room for the broker.
 */
export const ENVELOPE_OVERHEAD_BYTES = 512;

/** The smallest envelope: the largest event has room in it. Below the 256 KiB that Inngest takes on its free plan. */
export const MIN_ENVELOPE_BYTES = ENVELOPE_OVERHEAD_BYTES + MAX_EVENT_BYTES + 1;

/** How much fits into one envelope. */
export interface EnvelopeLimits {
  /** At most 1,000, which the worker relies on. */
  readonly maxEvents: number;
  /** The size of the whole Inngest event as JSON, in bytes. */
  readonly maxBytes: number;
}

export function envelopeLimits(maxBytes: number): EnvelopeLimits {
  return { maxEvents: MAX_ENVELOPE_EVENTS, maxBytes };
}

/** What one event takes up in an envelope: itself and a comma. */
export function sizeInEnvelope(event: { readonly bytes: number }): number {
  return event.bytes + 1;
}

/** Whether an envelope with this event alone stays within the limits. */
export function fitsIntoEnvelope(event: { readonly bytes: number }, limits: EnvelopeLimits): boolean {
  return ENVELOPE_OVERHEAD_BYTES + sizeInEnvelope(event) <= limits.maxBytes;
}
