import { type EventLine, type LineDefaults, type RejectedLine, readEventLine } from "./event-line.ts";
import type { Line } from "./read-lines.ts";

/** Consecutive lines of the file, sent in one request. */
export interface LineBatch {
  readonly events: readonly EventLine[];
  /** Lines that are not sent to the API, in order. */
  readonly rejected: readonly RejectedLine[];
  /** Number of the batch's last line, and the offset of the next one. */
  readonly line: number;
  readonly offset: number;
}

/** Groups lines into batches of at most `maxEvents` events and about `maxBytes` bytes (a longer line goes alone). */
export async function* batchLines(
  lines: AsyncIterable<Line>,
  options: { defaultsOf: (line: Line) => LineDefaults; maxEvents: number; maxBytes: number },
): AsyncGenerator<LineBatch> {
  let events: EventLine[] = [];
  let rejected: RejectedLine[] = [];
  let bytes = 0;
  let end = { line: 0, offset: 0 };
  const finish = (): LineBatch => {
    const batch = { events, rejected, ...end };
    events = [];
    rejected = [];
    bytes = 0;
    return batch;
  };
  for await (const line of lines) {
    const read = readEventLine(line, options.defaultsOf(line));
    const size = read?.kind === "event" ? Buffer.byteLength(read.json) + 1 : 0;
    if (events.length > 0 && bytes + size > options.maxBytes) yield finish();
    bytes += size;
    if (read?.kind === "event") events.push(read);
    if (read?.kind === "rejected") rejected.push(read);
    end = { line: line.number, offset: line.end };
    if (events.length + rejected.length >= options.maxEvents) yield finish();
  }
  if (end.line > 0) yield finish();
}
