import { createHash } from "node:crypto";
import type { Line } from "./read-lines.ts";

/** A line that holds an event, ready to be sent. */
export interface EventLine {
  readonly kind: "event";
  readonly number: number;
  /** The event as JSON: the line's own text, so that no number or key is changed by reading and writing it again. */
  readonly json: string;
  readonly original: string;
}

/** A line that was refused, here or by the API. */
export interface RejectedLine {
  readonly kind: "rejected";
  readonly number: number;
  readonly code: string;
  readonly path: string;
  readonly reason: string;
  /** The line's text; undefined when it is no text or too long to keep. */
  readonly original?: string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads one line. An event without an id gets one that follows from the file and the line's number, so that
 * sending the same line again, in another run, is recognised as the same event.
 *
 * @param identity what names the file, see ImportState
 * @returns undefined for a blank line
 */
export function readEventLine(line: Line, identity: string): EventLine | RejectedLine | undefined {
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
  if ("id" in value) return { kind: "event", number, json: text, original: text };
  const id = JSON.stringify(idOfLine(identity, number));
  const rest = text.slice(text.indexOf("{") + 1);
  const json = Object.keys(value).length === 0 ? `{"id":${id}}` : `{"id":${id},${rest}`;
  return { kind: "event", number, json, original: text };
}

/** A UUID (version 8: made by our own rule) for a line that came without an id. */
export function idOfLine(identity: string, number: number): string {
  const hash = createHash("sha256").update(`${identity}:${number}`).digest();
  hash.writeUInt8(0x80 | (hash.readUInt8(6) & 0x0f), 6);
  hash.writeUInt8(0x80 | (hash.readUInt8(8) & 0x3f), 8);
  const hex = hash.toString("hex", 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
