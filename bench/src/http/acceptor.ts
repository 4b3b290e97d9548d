// The least that a broker can do: it takes whatever is sent and says so. What it took is looked at when asked for, so
// that it costs nothing while something is measured.
import { createServer } from "node:http";
import { openEnvelope } from "@synap/handlers/internal";
import { z } from "zod";
import { serveParent } from "./server-process.ts";

const sendSchema = z.array(z.looseObject({ data: z.unknown() }));
let bodies: Buffer[] = [];

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    if (request.method === "POST") bodies.push(Buffer.concat(chunks));
    response.setHeader("content-type", "text/plain; charset=utf-8");
    response.end('{"ids":["01M7YF28000000000000000000"],"status":200}\n');
  });
});

/** Number of envelopes since the last call, and the ids of their events. */
async function answer(): Promise<{ envelopes: number; ids: string[] }> {
  const taken = bodies;
  bodies = [];
  const sent = taken.flatMap((body) => sendSchema.parse(JSON.parse(body.toString())));
  const events = await Promise.all(sent.map(({ data }) => openEnvelope(data)));
  return { envelopes: sent.length, ids: events.flat().map(({ id }) => id) };
}

// Longer than any pause between two samples.
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  serveParent(`http://127.0.0.1:${port}`, { answer, stop });
});
