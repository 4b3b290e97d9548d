import { connect, isIP, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";

/** A request in flight. */
export interface Posting {
  /** Rejects with a network error, or with the reason of the cancellation. */
  readonly response: Promise<HttpResponse>;
  cancel(reason: Error): void;
}

/** A client that posts to one URL over kept-alive connections, one for each concurrent request. */
export interface JsonPoster {
  post(body: string, headers: Readonly<Record<string, string>>): Posting;
  /** Closes the idle connections. */
  close(): void;
}

/** Maximum idle time of a connection. Shorter than Node.js's 5 s, the shortest keep-alive timeout of common servers. */
const MAX_IDLE_MS = 4_000;

/**
 * Creates a client for a URL that uses HTTP/1.1 on bare sockets, because every published event waits for this exchange.
 * Node's `http.request` takes two to three times as long, and `fetch` five times (docs/decisions/0011).
 *
 * @param constantHeaders headers of every request
 */
export function createJsonPoster(url: URL, constantHeaders: Readonly<Record<string, string>>): JsonPoster {
  const head =
    `POST ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n` +
    writeHeaders({ ...constantHeaders, "Content-Type": "application/json" });
  let idle: HttpConnection[] = [];

  /** Takes the most recently used connection, so that unneeded ones reach their maximum idle time. */
  function takeIdle(): HttpConnection | undefined {
    const usable = idle.filter((connection) => connection.isOpen && connection.idleMs < MAX_IDLE_MS);
    for (const connection of idle) if (!usable.includes(connection)) connection.destroy(new Error("idle"));
    const taken = usable.pop();
    idle = usable;
    return taken;
  }

  return {
    post: (body, headers) => {
      const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`;
      const request = `${head}${writeHeaders(headers)}${length}\r\n${body}`;
      const kept = takeIdle();
      let connection = kept ?? new HttpConnection(url);
      const response = connection
        .send(request)
        .catch((error: unknown) => {
          // The server may have just closed an idle connection, so try once more on a new one.
          if (kept === undefined || !(error instanceof ConnectionLostError) || error.isAnswering) throw error;
          connection = new HttpConnection(url);
          return connection.send(request);
        })
        .then((given) => {
          if (given.isReusable) idle.push(connection);
          return given;
        });
      return { response, cancel: (reason) => connection.destroy(reason) };
    },
    close: () => {
      for (const connection of idle.splice(0)) connection.destroy(new Error("closed"));
    },
  };
}

function writeHeaders(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, " ")}\r\n`)
    .join("");
}

/** Thrown when the connection ended or failed. */
export class ConnectionLostError extends Error {
  override readonly name = "ConnectionLostError";
  readonly code = "CONNECTION_LOST";
  /** True when part of the response had arrived. */
  readonly isAnswering: boolean;

  constructor(isAnswering: boolean, options: ErrorOptions = {}) {
    const { cause } = options;
    super(cause instanceof Error ? cause.message || String(cause) : "the connection ended", options);
    this.isAnswering = isAnswering;
  }
}

interface Exchange {
  readonly resolve: (response: HttpResponse) => void;
  readonly reject: (error: unknown) => void;
}

/** A connection that carries one request at a time. */
export class HttpConnection {
  private readonly socket: Socket;
  private exchange: Exchange | undefined;
  private received: Buffer | undefined;
  private freeSince = 0;

  /** Connects. A failure is reported by the first exchange. */
  constructor(url: URL) {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const isSecure = url.protocol === "https:";
    const port = Number(url.port || (isSecure ? 443 : 80));
    const servername = isIP(host) === 0 ? { servername: host } : {};
    this.socket = isSecure
      ? connectSecurely({ host, port, ...servername, ALPNProtocols: ["http/1.1"] })
      : connect({ host, port });
    // Every request is one write, so there is nothing to coalesce.
    this.socket.setNoDelay(true);
    this.socket.on("data", (chunk) => this.take(chunk, false));
    this.socket.on("end", () => this.take(Buffer.alloc(0), true));
    this.socket.on("error", (cause) => this.fail(this.lost(cause)));
    this.socket.on("close", () => this.fail(this.lost()));
  }

  /** Idle time, in milliseconds. */
  get idleMs(): number {
    return performance.now() - this.freeSince;
  }

  get isOpen(): boolean {
    return !this.socket.destroyed;
  }

  /**
   * Sends a complete request and returns its response. One at a time.
   *
   * @throws ConnectionLostError, the reason given to `destroy`, or an Error when the response is not HTTP
   */
  send(request: string): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(this.lost());
      this.exchange = { resolve, reject };
      this.socket.write(request);
    });
  }

  destroy(reason: Error): void {
    this.fail(reason);
  }

  private take(chunk: Buffer, isEnded: boolean): void {
    // Data that arrives without a request could be mistaken for the response to the next one.
    if (this.exchange === undefined || (isEnded && this.received === undefined)) {
      this.fail(this.lost());
      return;
    }
    this.received = this.received === undefined ? chunk : Buffer.concat([this.received, chunk]);
    try {
      const response = readHttpResponse(this.received, isEnded);
      if (response !== undefined) this.conclude(this.exchange, response);
    } catch (error) {
      this.fail(error);
    }
  }

  private conclude({ resolve }: Exchange, response: HttpResponse): void {
    this.exchange = undefined;
    this.received = undefined;
    this.freeSince = performance.now();
    if (!response.isReusable) this.socket.destroy();
    resolve(response);
  }

  private lost(cause?: Error): ConnectionLostError {
    return new ConnectionLostError(this.received !== undefined, { cause });
  }

  private fail(error: unknown): void {
    this.socket.destroy();
    this.exchange?.reject(error);
    this.exchange = undefined;
  }
}

/** A response of any status. */
export interface HttpResponse {
  readonly status: number;
  /** Read as UTF-8. */
  readonly body: string;
  /** True when the connection can be used for another request. */
  readonly isReusable: boolean;
}

/** Maximum size of a response. A longer one is not from an event API, but perhaps from a proxy. */
const MAX_BYTES = 1024 * 1024;
const BLANK_LINE = "\r\n\r\n";

/**
 * Parses an HTTP/1.1 response from the bytes that have arrived so far; undefined while it is incomplete.
 *
 * @param isEnded true if the server has closed the connection, which ends a response without a length
 * @throws Error when this is not HTTP/1.1, is larger than 1 MiB, or the connection ended too early
 */
export function readHttpResponse(received: Buffer, isEnded: boolean): HttpResponse | undefined {
  if (received.length > MAX_BYTES) throw new Error(`the response is larger than ${MAX_BYTES} bytes`);
  const response = readComplete(received, isEnded);
  if (response === undefined && isEnded)
    throw new Error("the connection ended before the response was complete");
  return response;
}

function readComplete(received: Buffer, isEnded: boolean): HttpResponse | undefined {
  const end = received.indexOf(BLANK_LINE);
  if (end < 0) return undefined;
  const head = received.toString("latin1", 0, end);
  const [, minor, digits] = /^HTTP\/1\.([01]) (\d{3})(?: |\r|$)/.exec(head) ?? [];
  if (digits === undefined) throw new Error("the response is not HTTP/1.1");
  const status = Number(digits);
  const rest = received.subarray(end + BLANK_LINE.length);
  // Interim responses such as 103 precede the final one.
  if (status < 200) return readComplete(rest, isEnded);
  const body = readBody(rest, head, isEnded);
  if (body === undefined) return undefined;
  const isKept = minor === "1" && !/^connection:.*\bclose\b/im.test(head);
  return { status, body: body.bytes.toString("utf8"), isReusable: isKept && body.isWhole };
}

/** Reads a body. `isWhole` means that it has the length in its headers, and nothing follows it. */
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

/** Parses a chunked body. Sizes are hexadecimal, possibly followed by extensions; a chunk of size 0 ends the body. */
function readChunks(rest: Buffer): { readonly bytes: Buffer; readonly isWhole: boolean } | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(rest.toString("latin1", at, lineEnd), 16);
    if (!(size >= 0)) throw new Error("a chunk of the response has no size");
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
