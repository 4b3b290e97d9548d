import { existsSync, rmSync, statSync, truncateSync } from "node:fs";
import { appendDurably } from "../durable-files/replace-file.ts";
import type { RejectedLine } from "./event-line.ts";

/** The report of rejected lines: one JSON object a line, in the file's order. Created with the first rejected line. */
export class RejectedReport {
  readonly path: string;
  #bytes: number;

  /** @param keep length of the valid part of an earlier run's report, in bytes; the rest is written again */
  constructor(path: string, keep: number) {
    this.path = path;
    this.#bytes = existsSync(path) ? Math.min(keep, statSync(path).size) : 0;
    if (!existsSync(path)) return;
    if (this.#bytes === 0) rmSync(path);
    else truncateSync(path, this.#bytes);
  }

  /** Bytes written so far, for LoadState. */
  get bytes(): number {
    return this.#bytes;
  }

  add(lines: readonly RejectedLine[]): void {
    if (lines.length === 0) return;
    const text = lines
      .map(
        ({ number, code, path, reason, original }) =>
          `${JSON.stringify({ line: number, code, path, reason, original })}\n`,
      )
      .join("");
    // Synced before the state that counts these bytes, because the next run appends after them.
    appendDurably(this.path, text);
    this.#bytes += Buffer.byteLength(text);
  }
}
