import type { Server } from "node:http";

/**
 * How long a server keeps an idle connection, in milliseconds: longer than the 60 s after which most callers and load balancers
 * give one up. With Node's 5 s both ends give it up at about the same moment, and now and then a request is sent into a
 * connection that is being closed.
 */
export const KEEP_ALIVE_MS = 65_000;

/** Where a server listens, and how it stops. */
export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** How long requests in flight may take once the server closes, in milliseconds. Default: as long as they need. */
  readonly graceMs?: number;
}

/** A server that listens. */
export interface Listening {
  /** Without a trailing slash. */
  readonly url: string;
  /** Takes no more connections, lets requests in flight finish, then closes what is left. */
  close(): Promise<void>;
}

/**
 * Lets a server listen.
 *
 * @throws the operating system's error when the address cannot be had (code EADDRINUSE).
 */
export async function listen(server: Server, { host, port, graceMs }: ListenOptions): Promise<Listening> {
  // Node would drop headers beyond a number of them in silence. Their bytes are limited, and that is answered.
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
  // A connection that is kept alive becomes idle when its last answer is out, which no event reports.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const grace = graceMs === undefined ? undefined : setTimeout(() => server.closeAllConnections(), graceMs);
  server.closeIdleConnections();
  await closed;
  clearInterval(idle);
  clearTimeout(grace);
}
