import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { openEnvelope } from "@synap/handlers/internal";
import type { SynapEvent } from "@synap/types";
import { z } from "zod";

/**
 * Behaviour of the broker on a send: accepts it; refuses it; accepts the connection and never answers; breaks the
 * connection; accepts it and breaks the connection before the response.
 */
export type BrokerBehaviour = "accept" | "refuse" | "hang" | "break" | "accept-and-break";

/** One Inngest event that was acknowledged, or at least taken. */
export interface ReceivedEnvelope {
  readonly id: string;
  readonly bytes: number;
  /** True if the events were compressed. */
  readonly isPacked: boolean;
  readonly events: readonly SynapEvent[];
}

/** A broker whose faults can be ordered. Speaks just enough of Inngest's protocol for sending. */
export interface FaultBroker {
  readonly url: string;
  readonly received: ReceivedEnvelope[];
  /** Every send that arrived, whatever became of it. */
  readonly attempts: () => number;
  /** The behaviour of the next sends; a function is asked for each one. */
  behaviour: BrokerBehaviour | (() => BrokerBehaviour);
  delayMs: number;
  /** Sends wait for this before they are treated. */
  hold: Promise<void>;
  stop(): Promise<void>;
}

const sendSchema = z.array(z.looseObject({ name: z.string(), id: z.string(), data: z.looseObject({}) }));

export async function startFaultBroker(): Promise<FaultBroker> {
  const received: ReceivedEnvelope[] = [];
  let attempts = 0;
  const server: Server = createServer(async (request, response) => {
    if (request.url === "/health") return void response.end('{"status":200,"message":"OK"}');
    // Answers like an Inngest server, which lacks the local broker's routes.
    if (request.method !== "POST") return void response.writeHead(404).end();
    attempts += 1;
    const body = await readText(request);
    await broker.hold;
    if (broker.delayMs > 0) await sleep(broker.delayMs);
    const behaviour = typeof broker.behaviour === "function" ? broker.behaviour() : broker.behaviour;
    if (behaviour === "accept" || behaviour === "accept-and-break") {
      for (const event of sendSchema.parse(JSON.parse(body))) {
        const bytes = Buffer.byteLength(JSON.stringify(event));
        const events = await openEnvelope(event.data);
        received.push({ id: event.id, bytes, isPacked: "gzip" in event.data, events });
      }
    }
    answer(behaviour, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const broker: FaultBroker = {
    url: `http://127.0.0.1:${port}/`,
    received,
    attempts: () => attempts,
    behaviour: "accept",
    delayMs: 0,
    hold: Promise.resolve(),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return broker;
}

function answer(behaviour: BrokerBehaviour, request: IncomingMessage, response: ServerResponse): void {
  if (behaviour === "accept") {
    response.setHeader("content-type", "text/plain");
    response.end('{"ids":["01M7YF28000000000000000000"],"status":200}');
  } else if (behaviour === "refuse") {
    response.statusCode = 400;
    response.end('{"ids":[],"status":400,"error":"refused by the test"}');
  } else if (behaviour !== "hang") request.socket.destroy();
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}
