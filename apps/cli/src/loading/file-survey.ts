import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { isEventObject } from "./event-line.ts";
import { MAX_LINE_BYTES } from "./read-lines.ts";

/** Content of a file at the moment of a survey. */
export interface FileSurvey {
  /**
   * Number of bytes that count as lines: up to the last line break, and beyond it if a JSON object follows. Any other text
   * at the end is a line that is still being written.
   */
  readonly size: number;
  /** SHA-256 of these bytes, in hex. */
  readonly fingerprint: string;
  /** True when the last line has no line break. */
  readonly open: boolean;
  /** True if the file ends in text that does not count as a line yet. */
  readonly unfinished: boolean;
  /** SHA-256 of the first `knownSize` bytes, in hex; undefined when the file is shorter. */
  readonly known: string | undefined;
}

const NEWLINE = 0x0a;
const BLANK = /^[ \t\r]*$/;

/** Reads a whole file, from its first byte to its end. */
export async function surveyFile(file: FileHandle, knownSize = 0): Promise<FileSurvey> {
  const whole = createHash("sha256");
  let total = 0;
  let known = knownSize === 0 ? whole.copy().digest("hex") : undefined;
  let lines: { size: number; hash: Hash } = { size: 0, hash: whole.copy() };
  let tail: Buffer[] = [];
  let tailBytes = 0;
  const take = (bytes: Buffer) => {
    const cut = knownSize - total;
    if (cut > 0 && cut <= bytes.length) {
      whole.update(bytes.subarray(0, cut));
      known = whole.copy().digest("hex");
      whole.update(bytes.subarray(cut));
    } else {
      whole.update(bytes);
    }
    total += bytes.length;
  };
  for await (const bytes of readBytes(file, 0)) {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      take(bytes.subarray(0, end));
      lines = { size: total, hash: whole.copy() };
      tail = [];
      tailBytes = 0;
    }
    const rest = bytes.subarray(end);
    take(rest);
    tailBytes += rest.length;
    if (tailBytes <= MAX_LINE_BYTES) tail.push(rest);
    else tail = [];
  }
  const last = tailBytes <= MAX_LINE_BYTES ? Buffer.concat(tail) : undefined;
  if (last !== undefined && isEventObject(last)) {
    return { size: total, fingerprint: whole.digest("hex"), open: true, unfinished: false, known };
  }
  const unfinished = last === undefined || !BLANK.test(last.toString("latin1"));
  return { size: lines.size, fingerprint: lines.hash.digest("hex"), open: false, unfinished, known };
}

/** The remainder of a line that was sent before it had a line break. */
export interface LineContinuation {
  /** Start of the next line, or end of the file. */
  readonly end: number;
  /** True if only white space was added to the line. */
  readonly blank: boolean;
}

/** Reads from the middle of a line to its end. */
export async function readContinuation(file: FileHandle, from: number): Promise<LineContinuation> {
  let end = from;
  for await (const bytes of readBytes(file, from)) {
    const at = bytes.indexOf(NEWLINE);
    const rest = at < 0 ? bytes : bytes.subarray(0, at);
    if (!BLANK.test(rest.toString("latin1"))) return { end, blank: false };
    if (at >= 0) return { end: end + at + 1, blank: true };
    end += bytes.length;
  }
  return { end, blank: true };
}

/** The bytes from `from` up to `to`, or to the end of the file. The file stays open. */
export async function* readBytes(file: FileHandle, from: number, to = Infinity): AsyncGenerator<Buffer> {
  let at = from;
  while (at < to) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, to - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

const CHUNK_BYTES = 1024 * 1024;
