import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { getRequestListener, RequestError } from "@hono/node-server";
import { createCallerCheck, type Listening, listen } from "@synap/http";
import { counted } from "@synap/types/internal";
import { Problem } from "../problems/problem.ts";
import { toProblem } from "../problems/to-problem.ts";
import { readRequestId } from "../request-id.ts";
import { Connections } from "./connections.ts";
import { answerOnSocket } from "./raw-answer.ts";
import { expectationFailed, requestProblem } from "./request-problem.ts";

/** Time limit for requests in flight to finish once the server closes, in milliseconds. */
const GRACE_MS = 10_000;

/** Address, allowed hosts and limits of a server. Times are in milliseconds. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Host names under which it may be called besides its own; see `CallerPolicy`. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Number of connections served at a time. Requests on further ones are answered 503. */
  readonly maxConnections: number;
  /** Time limit for a request's headers... */
  readonly headersTimeoutMs: number;
  /** ...and for the whole request. */
  readonly requestTimeoutMs: number;
  /** Time for which a connection is kept open between two requests. */
  readonly keepAliveMs: number;
  /** Called for each request that is answered before its route is looked for. */
  readonly onRefused?: (method: string, status: number) => void;
  /** Time after which a client that takes nothing of its answer is dropped. */
  readonly sendTimeoutMs: number;
}

/**
 * Serves a fetch handler. Even what never becomes a request, such as malformed HTTP, is answered with a problem document.
 *
 * @throws the operating system's error when the address is taken (code EADDRINUSE).
 */
export async function listenHttp(
  fetch: (request: Request) => Response | Promise<Response>,
  options: HttpServerOptions,
): Promise<Listening> {
  const { host } = options;
  const server = createServer(serverOptions(options));
  server.timeout = options.sendTimeoutMs;
  const connections = new Connections(server, options.maxConnections);
  const checkCaller = createCallerCheck({ listensOn: host, allowedHosts: options.allowedHosts });
  const listener = getRequestListener(fetch, { hostname: host, errorHandler: unservable });

  server.on("request", (request, response) => {
    const isSurplus = connections.begin(request, response);
    const problem =
      (isSurplus ? tooManyConnections(request, options) : undefined) ?? requestProblem(request, checkCaller);
    if (problem === undefined) return void listener(request, response);
    answer(request, response, problem);
    options.onRefused?.(request.method ?? "", problem.status);
  });
  server.on("checkExpectation", (request, response) => {
    connections.begin(request, response);
    answer(request, response, expectationFailed());
  });
  server.on("connect", (_, socket) =>
    connections.whenAnswered(socket, () => answerOnSocket(socket, noTunnel())),
  );
  answerClientErrors(server, connections);

  return listen(server, { ...options, graceMs: GRACE_MS });
}

function serverOptions({ headersTimeoutMs, requestTimeoutMs, keepAliveMs }: HttpServerOptions) {
  const headersTimeout = Math.min(headersTimeoutMs, requestTimeoutMs);
  return {
    headersTimeout,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    // Node looks for late requests only this often, by default every 30 s: a limit of 10 s would take up to 40.
    connectionsCheckingInterval: Math.min(1_000, Math.max(10, Math.ceil(headersTimeout / 10))),
    // Node would answer a missing Host with an empty 400.
    requireHostHeader: false,
  };
}

/** Liveness probes are still answered: too many connections are no reason to restart the process. */
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
    ...problem.answerHeaders(requestId),
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

/** Answers an error that occurred outside any route. */
function unservable(error: unknown): Response {
  const problem =
    error instanceof RequestError
      ? new Problem("request-invalid", "The address or the Host header of the request is not valid.", {
          cause: error,
        })
      : toProblem(error);
  return problem.toResponse(readRequestId(undefined));
}

function noTunnel(): Problem {
  return new Problem("method-not-allowed", "CONNECT is not supported: this server is not a proxy.", {
    headers: { allow: "GET, HEAD, POST" },
  });
}

/**
 * Answers what Node could not parse as a request on the bare socket, once. An earlier request on the same connection that
 * arrived complete is answered first.
 */
function answerClientErrors(server: Server, connections: Connections): void {
  const broken = new WeakSet<Duplex>();
  server.on("clientError", (error: Error & { code?: string }, socket) => {
    if (broken.has(socket)) return;
    broken.add(socket);
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    connections.whenAnswered(socket, () => answerOnSocket(socket, clientProblem(error.code)));
  });
}

function clientProblem(code: string | undefined): Problem {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new Problem(
        "headers-too-large",
        "The address and the headers together may have at most 16 KiB.",
      );
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Problem("request-timeout", "The request did not arrive completely within the time limit.");
    default:
      return new Problem("request-invalid", "The request is not valid HTTP/1.1.");
  }
}
