import { createServer, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { Problem } from "./problems/problem.ts";
import { readRequestId } from "./request-id.ts";

/** How long a client may take for a request's headers... */
const HEADERS_TIMEOUT_MS = 10_000;
/** ...and for the whole of it. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than the 60 s after which most load balancers drop an idle connection, so that they are the ones to do it. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** How long requests in flight may take to finish once the server closes. */
const GRACE_MS = 10_000;

const SERVER_OPTIONS = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  // Node would answer a missing Host with an empty 400; we do it below.
  requireHostHeader: false,
};

/** An HTTP server that listens. */
export interface HttpServer {
  /** Without a trailing slash. */
  readonly url: string;
  /** Takes no more connections, finishes requests in flight (at most 10 s), then closes what is left. */
  close(): Promise<void>;
}

/**
 * Serves a fetch handler. Even what never becomes a request, such as malformed HTTP, is answered with a problem document.
 *
 * @throws the operating system's error when the address cannot be had (code EADDRINUSE).
 */
export async function listenHttp(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<HttpServer> {
  const listener = getRequestListener(fetch, { hostname: host, errorHandler: badAddress });
  const server = createServer(SERVER_OPTIONS, (request, response) => {
    if (request.headers.host !== undefined || request.httpVersion === "1.0")
      return void listener(request, response);
    response.setHeader("connection", "close");
    return void getRequestListener(badAddress, { hostname: host })(request, response);
  });
  server.on("clientError", answerClientError);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  const listening = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${listening}`,
    close: () => closeServer(server),
  };
}

function badAddress(): Response {
  const problem = new Problem("request-invalid", "The request's address or Host header is not valid.");
  return problem.toResponse(readRequestId(undefined));
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A connection kept alive becomes idle only when its last answer is out, and nobody tells when that is.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const grace = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  server.closeIdleConnections();
  await closed;
  clearInterval(idle);
  clearTimeout(grace);
}

/** Node could not read a request and leaves it to us to answer on the bare socket. */
function answerClientError(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const problem = clientProblem(error.code);
  const requestId = readRequestId(undefined);
  const body = JSON.stringify(problem.toDocument(requestId));
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}`,
      "Connection: close",
      "Content-Type: application/problem+json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`,
      "",
      body,
    ].join("\r\n"),
  );
}

function clientProblem(code: string | undefined): Problem {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new Problem("headers-too-large", "The address and headers together may hold 16 KiB.");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Problem("request-timeout", "The request did not arrive completely in time.");
    default:
      return new Problem("request-invalid", "This is not HTTP as the server can read it.");
  }
}
