// The yardstick: a Hono route that parses an event and validates it against the same catalogue, and does nothing else.
// A second one then asks the broker before it answers, as whoever promises to lose nothing has to.
import { Agent, request } from "node:http";
import { serve } from "@hono/node-server";
import { type EventInput, seedCatalogue } from "@synap/types";
import { Hono } from "hono";
import { serveParent } from "./server-process.ts";

// As a catalogue of any event types: which ones come is only known when they do.
const catalogue: { createSynapEvent(input: EventInput): { readonly id: string } } = seedCatalogue;

const brokerUrl = process.env["INNGEST_BASE_URL"] ?? "";
const agent = new Agent({ keepAlive: true });

const app = new Hono();
app.post("/bare", async (context) => {
  const event = catalogue.createSynapEvent(await context.req.json());
  return context.json({ status: "accepted", id: event.id }, 202);
});
app.post("/forwarding", async (context) => {
  const event = catalogue.createSynapEvent(await context.req.json());
  await forward(JSON.stringify([{ name: "bench", data: { events: [event] } }]));
  return context.json({ status: "accepted", id: event.id }, 202);
});

function forward(body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sending = request(`${brokerUrl}/e/bench`, { agent, method: "POST", headers }, (response) => {
      response.on("error", reject).on("end", resolve).resume();
    });
    sending.on("error", reject).end(body);
  });
}

const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  serveParent(`http://127.0.0.1:${port}`, {
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  });
});
