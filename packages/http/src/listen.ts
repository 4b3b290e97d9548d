import type { Server } from "node:http";

/**
 * Keep-alive timeout of a server's idle connections, in milliseconds. It exceeds the 60 s of most clients and load
 * balancers. With Node's 5 s both ends would time out at about the same moment, and some requests would be sent into a
 * connection that is being closed.
 */
export const KEEP_ALIVE_MS = 65_000;

/** The address of a server, and its time limit for closing. */
export interface ListenOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Time limit of requests in flight after the server begins to close, in milliseconds. Default: none. */
  readonly graceMs?: number;
}

/** A listening server. */
export interface Listening {
  /** Without a trailing slash. */
  readonly url: string;
  /** Refuses new connections, waits for requests in flight, then closes the remaining connections. */
  close(): Promise<void>;
}

/**
 * Makes a server listen.
 *
 * @throws the operating system's error when the address is not available (such as EADDRINUSE).
 */
export async function listen(server: Server, { host, port, graceMs }: ListenOptions): Promise<Listening> {
  // Node would silently drop headers beyond this number. Their size is limited instead, with an error response.
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  const listening = typeof address === "object" && address !== null ? address.port : port;
  let closing: Promise<void> | undefined;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${listening}`,
    close: () => {
      closing ??= closeServer(server, graceMs);
      return closing;
    },
  };
}

async function closeServer(server: Server, graceMs: number | undefined): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A kept-alive connection becomes idle after its last response, which no event reports.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const grace = graceMs === undefined ? undefined : setTimeout(() => server.closeAllConnections(), graceMs);
  server.closeIdleConnections();
  await closed;
  clearInterval(idle);
  clearTimeout(grace);
}
