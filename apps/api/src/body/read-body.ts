import { Problem } from "../problems/problem.ts";

/**
 * The bytes of a request's body, at most `maxBytes`. A body that announces its length is refused by the announcement
 * (Node holds a client to it); a chunked one is counted as it arrives, and no more of it is kept than the limit.
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
  if (encoding === null || encoding.toLowerCase() === "identity") return;
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
      // Not cancelled: that would tear the connection down before the answer is on its way. What is left of the
      // body is drained by the server, within bounds, after the answer.
      reader.releaseLock();
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem(
    "body-too-large",
    `The body may hold at most ${maxBytes} bytes. Send fewer events at a time.`,
    {
      members: { limit: maxBytes },
    },
  );
}

function interrupted(cause: unknown): Problem {
  return new Problem("body-interrupted", "The connection ended in the middle of the body.", { cause });
}
