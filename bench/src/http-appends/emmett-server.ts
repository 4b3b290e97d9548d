// The peer: Emmett's PostgreSQL store, as peers/emmett-store.ts opens it, behind a Hono route that appends what it is sent.
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { z } from "zod";
import { serveParent } from "../http/server-process.ts";

const body = z.object({
  expectedVersion: z.literal("no-stream"),
  events: z.array(z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) })),
});

const store = getPostgreSQLEventStore(process.env["BENCH_DATABASE"] ?? "", {
  schema: { autoMigration: "None" },
});
await store.schema.migrate();

const app = new Hono();
app.post("/streams/:type/:id/events", async (context) => {
  const { type, id } = context.req.param();
  const { events } = body.parse(await context.req.json());
  const { nextExpectedStreamVersion } = await store.appendToStream(`${type}-${id}`, events, {
    expectedStreamVersion: "STREAM_DOES_NOT_EXIST",
  });
  return context.json({ streamVersion: Number(nextExpectedStreamVersion) }, 201);
});

const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  serveParent(`http://127.0.0.1:${port}`, {
    stop: async () => {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await store.close();
    },
  });
});
