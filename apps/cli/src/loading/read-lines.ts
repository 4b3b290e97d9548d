/** One line of a file as bytes. */
export interface Line {
  /** 1-based. */
  readonly number: number;
  /** Without its line ending. Empty when `tooLong`. */
  readonly bytes: Buffer;
  /** Start of the line, in bytes from the beginning of the file. */
  readonly start: number;
  /** Start of the next line, in bytes from the beginning of the file. */
  readonly end: number;
  /** True for a line longer than the limit, which was skipped and not kept. */
  readonly tooLong: boolean;
  /** False for a last line without a line break. */
  readonly terminated: boolean;
}

/** Maximum size of a line, in bytes: far above the largest event, far below the memory of a small machine. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Splits a stream of bytes into lines ("\n" or "\r\n"; the last one may lack its ending), in constant memory.
 *
 * @param from number of lines and bytes of the file before the stream's first byte
 */
export async function* readLines(
  source: AsyncIterable<Buffer>,
  from: { line: number; offset: number } = { line: 0, offset: 0 },
  maxBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<Line> {
  let { line: number, offset } = from;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (part: Buffer) => {
    length += part.length;
    if (length <= maxBytes) parts.push(part);
    else parts = [];
  };
  const finish = (ending: 0 | 1): Line => {
    const start = offset;
    offset += length + ending;
    number += 1;
    const line = {
      number,
      bytes: withoutReturn(Buffer.concat(parts)),
      start,
      end: offset,
      tooLong: length > maxBytes,
      terminated: ending === 1,
    };
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of source) {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      take(chunk.subarray(start, at));
      yield finish(1);
      start = at + 1;
    }
    if (start < chunk.length) take(chunk.subarray(start));
  }
  if (length > 0) yield finish(0);
}

function withoutReturn(bytes: Buffer): Buffer {
  return bytes.at(-1) === RETURN ? bytes.subarray(0, -1) : bytes;
}
