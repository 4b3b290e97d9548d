/** A receiver of webhooks, for tests. */

import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { z } from "zod";

/** A request as a receiver got it. */
export interface Received {
  readonly id: string;
  readonly stream: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer: a status, or what does something else with the response. */
export type Answer = number | ((response: ServerResponse, socket: Socket) => void);

/** A receiver, at an address of this machine. */
export interface WebhookReceiver {
  readonly port: number;
  /** Everything that arrived, in its order. */
  readonly received: readonly Received[];
  /** The requests that it answered with a status of 200 to 299. */
  readonly taken: readonly Received[];
  /** Number of connections so far. */
  readonly connections: number;
  /** Ends the server and all connections. */
  kill(): Promise<void>;
  /** Begins again at the same port. */
  revive(): Promise<void>;
}

const bodyOf = z.object({ id: z.string(), aggregateId: z.string() });

/** Starts a receiver. @param answer the answer to each request; default 200 */
export async function startReceiver(
  answer: (request: Received) => Answer | Promise<Answer> = () => 200,
): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const taken: Received[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const { id, aggregateId: stream } = bodyOf.parse(JSON.parse(body.toString()));
    const got = { id, stream, headers: request.headers, body };
    received.push(got);
    const answered = await answer(got);
    if (typeof answered === "function") return answered(response, request.socket);
    if (answered >= 200 && answered < 300) taken.push(got);
    response.writeHead(answered).end();
  });
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => {
      server.listen(port, "127.0.0.1", resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    received,
    taken,
    get connections() {
      return connections;
    },
    kill: () =>
      new Promise((resolve) => {
        if (!server.listening) return resolve();
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    revive: () => listen(port),
  };
}
