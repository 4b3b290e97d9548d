import { createServer } from "node:http";
import { expect, it } from "vitest";
import { everythingOn, openConnection } from "../testing/index.ts";
import { listen } from "./listen.ts";
import { requestFault } from "./request-fault.ts";

/** The status that a server with this check gives to these bytes. */
async function statusOf(sent: string): Promise<number> {
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    const status = requestFault(request)?.status;
    const answer = () => response.writeHead(status ?? 200, { connection: "close" }).end();
    // A body that breaks off is Node's to refuse.
    if (status === undefined) request.on("end", answer).resume();
    else answer();
  });
  const listening = await listen(server, { host: "127.0.0.1", port: 0, graceMs: 0 });
  const socket = await openConnection(listening.url);
  socket.write(sent);
  const answer = await everythingOn(socket);
  await listening.close();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

const post = (headers: string, body = "") => `POST / HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n${body}`;
const chunks = "2\r\n{}\r\n0\r\n\r\n";

it.each([
  [200, "chunks", post("Transfer-Encoding: chunked\r\n", chunks)],
  [200, "chunks, in capitals", post("Transfer-Encoding: Chunked\r\n", chunks)],
  [200, "a trailer", post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n")],
  [200, "dots that are no step", "GET /a..b/.c/...?d=/../e HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  [200, "HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n"],
  [501, "another coding before chunks", post("Transfer-Encoding: gzip, chunked\r\n", chunks)],
  [501, "an unknown coding before chunks", post("Transfer-Encoding: x, chunked\r\n", chunks)],
  [501, "no coding before chunks", post("Transfer-Encoding: identity, chunked\r\n", chunks)],
  [400, "codings in two headers", post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", chunks)],
  [400, "a coding that does not end in chunks", post("Transfer-Encoding: gzip\r\n")],
  [400, "chunks before another coding", post("Transfer-Encoding: chunked, gzip\r\n", chunks)],
  [400, "chunks twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunks)],
  [400, "chunks in HTTP/1.0", `POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`],
  [400, "chunks and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", chunks)],
  [400, "two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}")],
  [400, "one length twice", post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}")],
  [400, "a list of lengths", post("Content-Length: 2, 2\r\n", "{}")],
  [400, "a signed length", post("Content-Length: +2\r\n", "{}")],
  [400, "two content types", post("Content-Type: a/b\r\nContent-Type: c/d\r\n")],
  [400, "an attribute of a CloudEvent twice", post("ce-subject: a\r\nCE-Subject: b\r\n")],
  [200, "two attributes of a CloudEvent", post("ce-subject: a\r\nce-id: a\r\n")],
  [200, "a list in two headers", post("Accept: a/b\r\nAccept: c/d\r\n")],
  [400, "two authorizations", post("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n")],
  [
    200,
    "a host after two thousand headers",
    `GET / HTTP/1.1\r\n${"a:\r\n".repeat(2_000)}Host: localhost\r\n\r\n`,
  ],
  [400, "a second host after two thousand headers", post(`${"a:\r\n".repeat(2_000)}Host: localhost\r\n`)],
  [400, "two hosts", post("Host: localhost\r\n")],
  [400, "a space before a colon", post("Content-Length : 2\r\n", "{}")],
  [400, "a folded header before any", "GET / HTTP/1.1\r\n folded\r\nHost: localhost\r\n\r\n"],
  [400, "a chunk size that is none", post("Transfer-Encoding: chunked\r\n", "0x2\r\n{}\r\n0\r\n\r\n")],
  [400, "no host", "GET / HTTP/1.1\r\n\r\n"],
  [400, "percent-encoding that is none", "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n"],
])("is %i for %s", async (status, _, sent) => expect(await statusOf(sent)).toBe(status));

it.each(["/a/../b", "/a/.", "/..", "/a/%2e%2E/b", "/a/.%2e?c", "/a\\..\\b", "http://localhost/a/../b"])(
  "answers 400 to a step to another folder: %s",
  async (target) => {
    expect(await statusOf(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`)).toBe(400);
  },
);
