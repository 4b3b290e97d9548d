import type { SynapEvent } from "./synap-event.ts";

/**
 * The largest event, wherever it comes in: over HTTP, in process, by SQL, from a file, from a handler. An event's size is
 * that of its JSON in UTF-8 without spaces, with every number written out in full, as PostgreSQL writes `5e-324` with 326
 * digits. It fits into an Inngest event on every plan, of which the smallest takes 256 KiB, with what is around it.
 */
export const MAX_EVENT_BYTES = 240 * 1024;

/**
 * The size of an event in bytes.
 *
 * @param extraDigits how many more characters its numbers take when they are written out in full
 */
export function eventBytes(event: SynapEvent, extraDigits: number): number {
  return utf8Length(JSON.stringify(event)) + extraDigits;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // Each half of a surrogate pair counts two of its four bytes. JSON.stringify leaves no half alone.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
