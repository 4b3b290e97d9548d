import { isPlain, isUtf8, readMediaType } from "@synap/http";
import { Problem } from "../problems/problem.ts";

/**
 * Reads the bytes of a request's body, at most `maxBytes`. A body with a Content-Length is refused by that length
 * (Node enforces it); a chunked body is counted as it arrives.
 *
 * @throws Problem `body-too-large`, `unsupported-encoding`, `body-interrupted`, `body-missing`
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  refuseEncoding(request);
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxBytes) throw tooLarge(maxBytes);
  const body = await (announced === null ? readChunks(request, maxBytes) : readAnnounced(request));
  if (body.byteLength === 0) throw new Problem("body-missing", "Send the event in the body of the request.");
  return body;
}

function refuseEncoding(request: Request): void {
  const encoding = request.headers.get("content-encoding");
  if (isPlain(encoding)) return;
  throw new Problem(
    "unsupported-encoding",
    `Content-Encoding "${encoding}" is not supported: send plain bytes.`,
    {
      headers: { "accept-encoding": "identity" },
    },
  );
}

async function readAnnounced(request: Request): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (cause) {
    throw interrupted(cause);
  }
}

async function readChunks(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw interrupted(cause);
    });
    if (done) return Buffer.concat(chunks, length);
    length += value.byteLength;
    if (length > maxBytes) {
      // Not cancelled, because that would close the connection before the response is sent. The server drains the rest
      // of the body afterwards, within bounds.
      reader.releaseLock();
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem(
    "body-too-large",
    `The body may have at most ${maxBytes} bytes. Send fewer events at a time.`,
    {
      members: { limit: maxBytes },
    },
  );
}

function interrupted(cause: unknown): Problem {
  return new Problem("body-interrupted", "The connection ended in the middle of the body.", { cause });
}

/**
 * Returns the media type of a request's body: one of `allowed`, in lower case.
 *
 * @throws Problem `unsupported-media-type` when it is missing or not allowed, its charset is not UTF-8, or a parameter is repeated
 */
export function readContentType<Allowed extends string>(
  request: Request,
  allowed: readonly Allowed[],
): Allowed {
  const header = request.headers.get("content-type");
  // Nearly every request sends exactly this.
  const [exact] = allowed;
  if (exact !== undefined && header === exact) return exact;
  const mediaType = readMediaType(header ?? "");
  const found = allowed.find((type) => type === mediaType?.essence);
  if (mediaType !== undefined && found !== undefined && isUtf8(mediaType)) return found;
  const given = header === null ? "the request has none" : `the request has "${header.slice(0, 100)}"`;
  const wanted = allowed.map((type) => `"${type}"`).join(" or ");
  throw new Problem("unsupported-media-type", `Content-Type must be ${wanted} in UTF-8; ${given}.`, {
    headers: { "accept-post": allowed.join(", ") },
  });
}

// Shared, because constructing a decoder costs more than decoding a small body. It keeps no state between texts.
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes a body. A byte order mark at its start is skipped; bytes that are not UTF-8 are refused rather
 * than replaced, because a replaced character is a changed event.
 *
 * @throws Problem `invalid-utf8` with the position
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    const position = firstInvalidByte(bytes);
    throw new Problem(
      "invalid-utf8",
      `The bytes from number ${position} on, counted from 0, are not UTF-8.`,
      { cause },
    );
  }
}

/** Length of the longest prefix that is UTF-8, apart from an unfinished character at its end. Binary search. */
function firstInvalidByte(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.byteLength;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (isStartOfText(bytes.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  return valid;
}

function isStartOfText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
