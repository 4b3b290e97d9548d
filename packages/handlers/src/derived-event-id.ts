import { createHash } from "node:crypto";

/** The values from which an id is derived. */
export interface DerivedFrom {
  /** The name of the handler that appends the event. */
  readonly handler: string;
  /** The id of the event that caused it, a UUID. */
  readonly cause: string;
  /** Distinguishes the events that one handler appends for one cause. */
  readonly part?: string;
}

/**
 * Derives the id of an event that a handler appends in response to another: a UUIDv5 (RFC 9562) whose namespace is the id of the
 * cause and whose name is the handler's. The same cause always gives the same id, so a reaction that runs twice appends
 * once.
 */
export function derivedEventId({ handler, cause, part = "" }: DerivedFrom): string {
  const namespace = Buffer.from(cause.replaceAll("-", ""), "hex");
  const bytes = createHash("sha1")
    .update(namespace)
    .update(part === "" ? handler : `${handler}/${part}`)
    .digest();
  const id = bytes.subarray(0, 16);
  // RFC 9562: version 5 in the high bits of byte 6, the variant 10 in those of byte 8.
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x50, 6);
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = id.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
