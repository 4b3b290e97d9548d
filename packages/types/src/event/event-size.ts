import type { SynapEvent } from "./event.ts";

/**
 * Maximum size of an event, whether it comes over HTTP, in process, by SQL, from a file or a handler. An event's size is
 * that of its JSON in UTF-8 without spaces, with every number written out in full, as PostgreSQL writes `5e-324` with 326
 * digits. With its envelope it fits into an Inngest event on every plan; the smallest allows 256 KiB.
 */
export const MAX_EVENT_BYTES = 240 * 1024;

/**
 * Computes the size of an event in bytes.
 *
 * @param extraDigits number of additional characters its numbers take when written out in full
 */
export function eventBytes(event: SynapEvent, extraDigits: number): number {
  return utf8Length(JSON.stringify(event)) + extraDigits;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // Each half of a surrogate pair counts as two of its four bytes. JSON.stringify escapes lone halves.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
