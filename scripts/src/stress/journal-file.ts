import { existsSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";

/** A file of JSON lines that survives a kill -9 of its writer: what was written before it is there. */
export class JournalFile {
  readonly #descriptor: number;

  /** Continues after the last whole line. */
  constructor(path: string) {
    if (existsSync(path)) truncateSync(path, wholeLines(readFileSync(path)).length);
    this.#descriptor = openSync(path, "a");
  }

  append(line: object): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
  }
}

/** Every whole line; nothing when there is no such file. */
export function readJournal(path: string): unknown[] {
  if (!existsSync(path)) return [];
  const lines: unknown[] = [];
  const bytes = wholeLines(readFileSync(path));
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start);
    lines.push(JSON.parse(bytes.toString("utf8", start, end)));
    start = end + 1;
  }
  return lines;
}

const NEWLINE = 10;

function wholeLines(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
}
