/** What a server answered, whatever it was. */
export interface HttpAnswer {
  readonly status: number;
  /** Read as UTF-8. */
  readonly body: string;
  /** Whether the connection can carry another request. */
  readonly isReusable: boolean;
}

/** More than this is no answer of an event API, but perhaps a page of somebody in between. */
const MAX_BYTES = 1024 * 1024;
const BLANK_LINE = "\r\n\r\n";

/**
 * Reads an HTTP/1.1 answer from what has arrived so far on a connection: undefined while something is missing.
 *
 * @param isEnded whether the server has closed the connection, which ends an answer that gives no length
 * @throws Error when this is not HTTP/1.1, is larger than 1 MiB, or the connection ended too early
 */
export function readHttpAnswer(received: Buffer, isEnded: boolean): HttpAnswer | undefined {
  if (received.length > MAX_BYTES) throw new Error(`the answer is larger than ${MAX_BYTES} bytes`);
  const answer = readComplete(received, isEnded);
  if (answer === undefined && isEnded) throw new Error("the connection ended before the answer was complete");
  return answer;
}

function readComplete(received: Buffer, isEnded: boolean): HttpAnswer | undefined {
  const end = received.indexOf(BLANK_LINE);
  if (end < 0) return undefined;
  const head = received.toString("latin1", 0, end);
  const [, minor, digits] = /^HTTP\/1\.([01]) (\d{3})(?: |\r|$)/.exec(head) ?? [];
  if (digits === undefined) throw new Error("the answer is not HTTP/1.1");
  const status = Number(digits);
  const rest = received.subarray(end + BLANK_LINE.length);
  // Interim answers such as 103 come before the real one.
  if (status < 200) return readComplete(rest, isEnded);
  const body = readBody(rest, head, isEnded);
  if (body === undefined) return undefined;
  const isKept = minor === "1" && !/^connection:.*\bclose\b/im.test(head);
  return { status, body: body.bytes.toString("utf8"), isReusable: isKept && body.isWhole };
}

/** `isWhole`: the answer ended where it said it would, and nothing came after it. */
function readBody(
  rest: Buffer,
  head: string,
  isEnded: boolean,
): { readonly bytes: Buffer; readonly isWhole: boolean } | undefined {
  if (/^transfer-encoding:.*\bchunked\b/im.test(head)) return readChunks(rest);
  const length = /^content-length:[ \t]*(\d+)[ \t]*$/im.exec(head)?.[1];
  if (length === undefined) return isEnded ? { bytes: rest, isWhole: false } : undefined;
  if (rest.length < Number(length)) return undefined;
  return { bytes: rest.subarray(0, Number(length)), isWhole: rest.length === Number(length) };
}

/** The sizes of chunks are hexadecimal, perhaps with extensions behind them; one of size 0 ends the body. */
function readChunks(rest: Buffer): { readonly bytes: Buffer; readonly isWhole: boolean } | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.toString("latin1", at, lineEnd), 16);
    if (!(size >= 0)) throw new Error("a chunk of the answer has no size");
    if (size === 0) {
      // Trailers may follow up to a blank line. The line feed before it belongs to the size or to the last trailer.
      const end = rest.indexOf(BLANK_LINE, lineEnd);
      if (end < 0) return undefined;
      return { bytes: Buffer.concat(chunks), isWhole: end + BLANK_LINE.length === rest.length };
    }
    const start = lineEnd + 2;
    if (rest.length < start + size + 2) return undefined;
    chunks.push(rest.subarray(start, start + size));
    at = start + size + 2;
  }
}
