import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener, RequestError } from "@hono/node-server";
import { type CallerCheck, createCallerCheck, type Listening, listen, requestFault } from "@synap/http";
import { counted } from "@synap/types/internal";
import { Problem } from "../problems/problem.ts";
import { toProblem } from "../problems/to-problem.ts";
import { readRequestId } from "../request-id.ts";
import { responseHeaders } from "../response-headers.ts";
import { Connections } from "./connections.ts";
import { corsHeaders, isPreflight, METHODS, preflightHeaders } from "./cors.ts";

/** Time limit for requests in flight to finish once the server closes, in milliseconds. */
const GRACE_MS = 10_000;

/** Address, allowed hosts and limits of a server. Times are in milliseconds. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Additional host names that requests may name; see `CallerPolicy`. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins whose pages may read responses and send any request. Default: none. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Number of connections served at a time. Requests on further ones are answered 503. */
  readonly maxConnections: number;
  /** Time limit for a request's headers... */
  readonly headersTimeoutMs: number;
  /** ...and for the whole request. */
  readonly requestTimeoutMs: number;
  /** Time for which a connection is kept open between two requests. */
  readonly keepAliveMs: number;
  /** Called for each request that is refused before routing. */
  readonly onRefused?: (method: string, status: number) => void;
  /** Time after which a client that does not read its response is disconnected. */
  readonly sendTimeoutMs: number;
}

type Fetch = (request: Request) => Response | Promise<Response>;

/**
 * Serves a fetch handler. Malformed HTTP is answered with a problem document, too.
 *
 * @throws the operating system's error when the address is in use (code EADDRINUSE)
 */
export async function listenHttp(fetch: Fetch, options: HttpServerOptions): Promise<Listening> {
  const { host, corsOrigins = [] } = options;
  const server = createServer(serverOptions(options));
  server.timeout = options.sendTimeoutMs;
  const connections = new Connections(server, options.maxConnections);
  const checkCaller = createCallerCheck({
    listensOn: host,
    allowedHosts: options.allowedHosts,
    allowedOrigins: corsOrigins,
  });
  const origins = new Set(corsOrigins);
  const listener = getRequestListener(origins.size === 0 ? fetch : varyingByOrigin(fetch), {
    hostname: host,
    errorHandler: unservable,
  });

  function serve(request: IncomingMessage, response: ServerResponse, isSurplus: boolean): void {
    const problem =
      (isSurplus ? tooManyConnections(request, options) : undefined) ?? requestProblem(request, checkCaller);
    if (origins.size > 0) response.setHeader("vary", "origin");
    const { origin } = request.headers;
    const listed = origin !== undefined && origins.has(origin) ? origin : undefined;
    if (listed !== undefined) response.setHeaders(new Map(Object.entries(corsHeaders(listed))));
    if (problem === undefined) {
      if (listed === undefined || !isPreflight(request.method, request.headers))
        return void listener(request, response);
      return void response.writeHead(204, preflightHeaders(listed)).end();
    }
    answer(request, response, problem);
    options.onRefused?.(request.method ?? "", problem.status);
  }

  server.on("request", (request, response) => {
    const isSurplus = connections.begin(request, response);
    connections.inTurn(request, () => serve(request, response, isSurplus));
  });
  server.on("checkExpectation", (request, response) => {
    connections.begin(request, response);
    connections.inTurn(request, () => answer(request, response, expectationFailed()));
  });
  server.on("connect", (_, socket) =>
    connections.whenAnswered(socket, () => writeToSocket(socket, noTunnel())),
  );
  answerClientErrors(server, connections);

  return listen(server, { ...options, graceMs: GRACE_MS });
}

/** Adds the origin to what a response says that it varies by. */
function varyingByOrigin(fetch: Fetch): Fetch {
  return async (...request) => {
    const response = await fetch(...request);
    if (response.headers.has("vary")) response.headers.append("vary", "origin");
    return response;
  };
}

function serverOptions({ headersTimeoutMs, requestTimeoutMs, keepAliveMs }: HttpServerOptions) {
  const headersTimeout = Math.min(headersTimeoutMs, requestTimeoutMs);
  return {
    headersTimeout,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    // Interval at which Node checks for late requests. With its default of 30 s, a limit of 10 s would take up to 40 s.
    connectionsCheckingInterval: Math.min(1_000, Math.max(10, Math.ceil(headersTimeout / 10))),
    // Node would answer a missing Host with an empty 400.
    requireHostHeader: false,
  };
}

/** Refuses requests on surplus connections, except liveness probes: too many connections are no reason for a restart. */
function tooManyConnections({ url }: IncomingMessage, options: HttpServerOptions): Problem | undefined {
  if (url === "/healthz") return undefined;
  return new Problem(
    "too-many-connections",
    `More than ${counted(options.maxConnections, "connection is", "connections are")} open. Send again later.`,
    {
      retryAfterSeconds: 1,
      headers: { connection: "close" },
    },
  );
}

function answer(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  const given = request.headers["x-request-id"];
  const requestId = readRequestId(typeof given === "string" ? given : undefined);
  const body = JSON.stringify(problem.toDocument(requestId));
  response.writeHead(problem.status, {
    ...problem.responseHeaders(requestId),
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

/** Answers an error that occurred outside any route. */
function unservable(error: unknown): Response {
  const problem =
    error instanceof RequestError
      ? new Problem("request-invalid", "The request URL or the Host header is not valid.", {
          cause: error,
        })
      : toProblem(error);
  return problem.toResponse(readRequestId(undefined));
}

function noTunnel(): Problem {
  return new Problem("method-not-allowed", "CONNECT is not supported: this server is not a proxy.", {
    headers: { allow: METHODS },
  });
}

/**
 * Answers malformed requests on the bare socket, once for each connection. Earlier complete requests on the same connection
 * are answered first.
 */
function answerClientErrors(server: Server, connections: Connections): void {
  const broken = new WeakSet<Duplex>();
  server.on("clientError", (error: Error & { code?: string }, socket) => {
    if (broken.has(socket)) return;
    broken.add(socket);
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    connections.whenAnswered(socket, () => writeToSocket(socket, clientProblem(error.code)));
  });
}

function clientProblem(code: string | undefined): Problem {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new Problem(
        "headers-too-large",
        "The request URL and the headers together may have at most 16 KiB.",
      );
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Problem("request-timeout", "The request did not arrive completely within the time limit.");
    default:
      return new Problem("request-invalid", "The request is not valid HTTP/1.1.");
  }
}

/** Writes a problem to a socket for which Node has made no response object, and closes the connection. */
function writeToSocket(socket: Duplex, problem: Problem): void {
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

/** Checks a request before routing. Returns the problem, or undefined. */
function requestProblem(request: IncomingMessage, checkCaller: CallerCheck): Problem | undefined {
  const fault = requestFault(request);
  if (fault !== undefined) {
    return new Problem(fault.code, fault.detail, { headers: { connection: "close" } });
  }
  const { expect } = request.headers;
  // Node continues if 100-continue is one of several expectations.
  if (expect !== undefined && expect.trim().toLowerCase() !== "100-continue") return expectationFailed();
  const caller = checkCaller(request);
  return caller === undefined ? undefined : new Problem(caller.code, caller.detail);
}

function expectationFailed(): Problem {
  return new Problem("expectation-failed", "Only Expect: 100-continue is supported.");
}
