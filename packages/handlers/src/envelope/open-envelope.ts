import { isUtf8 } from "node:buffer";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { SynapEvent } from "@synap/types";
import {
  counted,
  describeZodIssues,
  MAX_ENVELOPE_BYTES,
  MAX_ENVELOPE_EVENTS,
  MAX_PACKED_JSON_BYTES,
} from "@synap/types/internal";
import { z } from "zod";

const decompress = promisify(gunzip);

/** The events of an envelope, or why it is unreadable. */
export type EnvelopeReading =
  | { readonly ok: true; readonly events: readonly SynapEvent[] }
  | { readonly ok: false; readonly reason: string };

/** Thrown when a value is not an envelope, or its events cannot be decompressed. */
export class InvalidEnvelopeError extends Error {
  override readonly name = "InvalidEnvelopeError";
  readonly code = "ENVELOPE_INVALID";
  readonly reason: string;

  constructor(reason: string) {
    super(`The envelope cannot be read: ${reason}`);
    this.reason = reason;
  }
}

// The store validates each event. Validating here would refuse a whole
// envelope for one bad event, so an item only has to be an object; the store refuses the bad one alone.
const carriedEvent = z.custom<SynapEvent>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an event",
);
const eventList = z.array(carriedEvent).min(1).max(MAX_ENVELOPE_EVENTS);

const plainEnvelope = z.object({ events: eventList });

const packedEnvelope = z.object({
  count: z.int().min(1).max(MAX_ENVELOPE_EVENTS),
  firstId: z.string(),
  lastId: z.string(),
  gzip: z
    .string()
    .max(MAX_ENVELOPE_BYTES, { abort: true })
    // Buffer.from skips other characters silently.
    .regex(/^[A-Za-z0-9+/]*={0,2}$/, "must be base64"),
});

/**
 * Reads an envelope, plain or packed. Its items are typed as events but only checked to be objects: pass them to the event
 * store, which validates each one.
 *
 * A packed envelope is decompressed in zlib's thread pool, up to 4 MiB, and its count, first id and last id must be those of
 * its events.
 *
 * @param whole the name of the value in a reason
 */
export async function readEnvelope(data: unknown, whole = "the envelope"): Promise<EnvelopeReading> {
  if (!has(data, "gzip")) {
    const plain = plainEnvelope.safeParse(data, { reportInput: true });
    return plain.success ? { ok: true, events: plain.data.events } : unreadable(plain.error, whole);
  }
  if (has(data, "events")) {
    return { ok: false, reason: `${whole} has both events and gzip, and must have one of them` };
  }
  const packed = packedEnvelope.safeParse(data, { reportInput: true });
  if (!packed.success) return unreadable(packed.error, whole);
  const { count, firstId, lastId, gzip } = packed.data;
  const content = await readGzip(gzip);
  if (!content.ok) return content;
  const reading = eventList.safeParse(content.value, { reportInput: true });
  if (!reading.success) return unreadable(reading.error, "the content of gzip");
  const events = reading.data;
  if (events.length !== count) {
    return { ok: false, reason: `gzip contains ${counted(events.length, "event")}, and count is ${count}` };
  }
  if (events[0]?.id !== firstId) return { ok: false, reason: "firstId is not the id of the first event" };
  if (events.at(-1)?.id !== lastId) return { ok: false, reason: "lastId is not the id of the last event" };
  return { ok: true, events };
}

/**
 * Returns the events of an envelope, as {@link readEnvelope} reads them.
 *
 * @throws InvalidEnvelopeError
 */
export async function openEnvelope(data: unknown): Promise<readonly SynapEvent[]> {
  const reading = await readEnvelope(data);
  if (!reading.ok) throw new InvalidEnvelopeError(reading.reason);
  return reading.events;
}

async function readGzip(
  base64: string,
): Promise<{ readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: string }> {
  let bytes: Buffer;
  try {
    bytes = await decompress(Buffer.from(base64, "base64"), {
      maxOutputLength: MAX_PACKED_JSON_BYTES,
      chunkSize: 256 * 1024,
    });
  } catch (error) {
    const isTooLarge = has(error, "code") && error.code === "ERR_BUFFER_TOO_LARGE";
    const reason = isTooLarge
      ? `gzip decompresses to more than ${counted(MAX_PACKED_JSON_BYTES, "byte")}`
      : `gzip cannot be decompressed: ${error instanceof Error ? error.message : String(error)}`;
    return { ok: false, reason };
  }
  // Decoding would replace invalid bytes silently, and so change an event.
  if (!isUtf8(bytes)) return { ok: false, reason: "gzip does not contain UTF-8" };
  try {
    return { ok: true, value: JSON.parse(bytes.toString("utf8")) };
  } catch {
    // The parser's message would quote the content of events.
    return { ok: false, reason: "gzip does not contain JSON" };
  }
}

function has<Name extends string>(value: unknown, name: Name): value is Readonly<Record<Name, unknown>> {
  return typeof value === "object" && value !== null && name in value;
}

function unreadable({ issues }: z.ZodError, whole: string): EnvelopeReading {
  return { ok: false, reason: describeZodIssues(issues, whole) };
}
