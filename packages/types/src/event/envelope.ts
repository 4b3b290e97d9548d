import type { SynapEvent } from "./event.ts";

/** The id of the Inngest app whose functions receive envelopes. */
export const INNGEST_APP_ID = "synap";

/** The name of the Inngest event that carries SynapEvents. */
export const ENVELOPE_EVENT_NAME = "synap/events.published";

/** Maximum number of events in an envelope. */
export const MAX_ENVELOPE_EVENTS = 1000;

/** Maximum size of a whole envelope, in bytes: the largest event that an Inngest server accepts. */
export const MAX_ENVELOPE_BYTES = 3 * 1024 * 1024;

/** Maximum size of the events of a packed envelope as a JSON array, in bytes. */
export const MAX_PACKED_JSON_BYTES = 4 * 1024 * 1024;

/** The `data` of the Inngest event: 1 to 1,000 events on their way from the API to the store. */
export type Envelope = PlainEnvelope | PackedEnvelope;

/** An envelope whose events are readable as they are. */
export interface PlainEnvelope {
  readonly events: readonly SynapEvent[];
}

/** An envelope whose events are compressed, because the cost of a broker grows with the bytes that it keeps. */
export interface PackedEnvelope extends EnvelopeSummary {
  /** The JSON array of the events in UTF-8, compressed with gzip (RFC 1952), in base64 (RFC 4648, section 4). */
  readonly gzip: string;
}

/** The readable part of a packed envelope. A reader compares `count`, `firstId` and `lastId` with the events. */
export interface EnvelopeSummary {
  /** Number of events. */
  readonly count: number;
  /** Number of events of each type, of the 20 most frequent types. For people; never compared with the events. */
  readonly types: Readonly<Record<string, number>>;
  readonly firstId: string;
  readonly lastId: string;
  /** The earliest timestamp of the events. For people; never compared with the events. */
  readonly from: string;
  /** The latest timestamp of the events. For people; never compared with the events. */
  readonly to: string;
}
