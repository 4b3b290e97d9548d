import { createHash } from "node:crypto";
import type { Line } from "./read-lines.ts";

/** A line that holds an event, ready to be sent. */
export interface EventLine {
  readonly kind: "event";
  readonly number: number;
  /** The event as JSON: the line's own text with defaults inserted. No number or key is parsed and written again. */
  readonly json: string;
  readonly original: string;
}

/** A line that was rejected, by this program or by the API. */
export interface RejectedLine {
  readonly kind: "rejected";
  readonly number: number;
  readonly code: string;
  readonly path: string;
  readonly reason: string;
  /** The line's text; undefined if it is not text or too long to keep. */
  readonly original?: string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Defaults for the missing fields of a line. The same in every run, so that a line sent twice is one event. */
export interface LineDefaults {
  /** Name of the file in these ids, see `FilePart`. */
  readonly identity: string;
  /** Timestamp of events without one. */
  readonly timestamp: string;
}

/**
 * Parses one line. An event without id or timestamp gets one that is the same in every run, so that a line sent again is
 * recognised as the same event. Without an aggregate id, the event's id names its stream.
 *
 * @returns undefined for a blank line
 */
export function readEventLine(line: Line, defaults: LineDefaults): EventLine | RejectedLine | undefined {
  const { number } = line;
  const rejected = (code: string, reason: string, original?: string): RejectedLine => ({
    kind: "rejected",
    number,
    code,
    path: "",
    reason,
    ...(original === undefined ? {} : { original }),
  });
  if (line.tooLong) return rejected("line-too-long", "The line is longer than 16 MiB.");
  let text: string;
  try {
    text = utf8.decode(line.bytes).trim();
  } catch {
    return rejected("invalid-utf8", "The line is not valid UTF-8.");
  }
  if (text === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return rejected("invalid-json", error instanceof Error ? error.message : "The line is not JSON.", text);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return rejected("not-an-object", "The line is JSON, but not an object.", text);
  }
  return { kind: "event", number, json: withDefaults(text, value, number, defaults), original: text };
}

/** True when a line, or the beginning of one, is a complete JSON object. */
export function isEventObject(bytes: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes).trim());
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Inserts missing fields before the first field and leaves the rest of the text unchanged. */
function withDefaults(
  text: string,
  value: object,
  number: number,
  { identity, timestamp }: LineDefaults,
): string {
  const missing: string[] = [];
  if (!("id" in value)) missing.push(`"id":"${idOfLine(identity, number)}"`);
  if (!("timestamp" in value)) missing.push(`"timestamp":"${timestamp}"`);
  if (missing.length === 0) return text;
  const rest = text.slice(text.indexOf("{") + 1);
  return Object.keys(value).length === 0 ? `{${missing.join(",")}}` : `{${missing.join(",")},${rest}`;
}

/** Derives a UUID (version 8: application-defined) for a line without an id. */
export function idOfLine(identity: string, number: number): string {
  const hash = createHash("sha256").update(`${identity}:${number}`).digest();
  hash.writeUInt8(0x80 | (hash.readUInt8(6) & 0x0f), 6);
  hash.writeUInt8(0x80 | (hash.readUInt8(8) & 0x3f), 8);
  const hex = hash.toString("hex", 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
