import type { HttpAnswer } from "./http-answer.ts";
import { ConnectionLostError, HttpConnection } from "./http-connection.ts";

/** A request under way. */
export interface Posting {
  /** Rejects with the network's error, or with the reason for which it was cancelled. */
  readonly answer: Promise<HttpAnswer>;
  cancel(reason: Error): void;
}

/** Posts to one address over connections that stay open: as many as there are requests at a time. */
export interface JsonPoster {
  post(body: string, headers: Readonly<Record<string, string>>): Posting;
  /** Closes the connections that carry nothing. */
  close(): void;
}

/** Shorter than the 5 s after which a Node.js server, the hastiest of all, ends an idle connection. */
const MAX_IDLE_MS = 4_000;

/**
 * Posts to this address, speaking HTTP/1.1 on bare sockets: the one exchange that every published event waits for.
 * Node's `http.request` takes two to three times as long for it, and `fetch` five times (docs/decisions/0011).
 *
 * @param constantHeaders those that every request has
 */
export function createJsonPoster(url: URL, constantHeaders: Readonly<Record<string, string>>): JsonPoster {
  const head =
    `POST ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n` +
    writeHeaders({ ...constantHeaders, "Content-Type": "application/json" });
  let idle: HttpConnection[] = [];

  /** The one that was used last, so that in quiet times the others age and go. */
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
      const answer = connection
        .send(request)
        .catch((error: unknown) => {
          // A kept connection that the server closed at this very moment says nothing about the server: once more.
          if (kept === undefined || !(error instanceof ConnectionLostError) || error.isAnswering) throw error;
          connection = new HttpConnection(url);
          return connection.send(request);
        })
        .then((given) => {
          if (given.isReusable) idle.push(connection);
          return given;
        });
      return { answer, cancel: (reason) => connection.destroy(reason) };
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
