import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Problem } from "../problems/problem.ts";
import { readRequestId } from "../request-id.ts";
import { responseHeaders } from "../response-headers.ts";

/** Writes a problem to a socket for which Node has made no response object, and closes the connection. */
export function writeToSocket(socket: Duplex, problem: Problem): void {
  if (!socket.writable) return void socket.destroy();
  const requestId = readRequestId(undefined);
  const body = JSON.stringify(problem.toDocument(requestId));
  const headers = responseHeaders(requestId, {
    ...problem.headers,
    connection: "close",
    "content-type": "application/problem+json",
    "content-length": String(Buffer.byteLength(body)),
  });
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end(
    [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}`, ...lines, "", body].join("\r\n"),
  );
}
