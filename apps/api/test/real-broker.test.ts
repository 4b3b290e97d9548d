import { createServer } from "node:net";
import { serve } from "@hono/node-server";
import { migrate, openDatabase } from "@synap/database";
import { recordFunctionRegistration } from "@synap/database/internal";
import { openEnvelope } from "@synap/handlers/internal";
import { startInngestLocal } from "@synap/inngest-local";
import { createInngestClient } from "@synap/service";
import { engineOn } from "@synap/synap/testing/engine-on.ts";
import { ENVELOPE_EVENT_NAME, INNGEST_APP_ID } from "@synap/types/internal";
import { Hono } from "hono";
import { Inngest } from "inngest";
import { serve as serveFunctions } from "inngest/hono";
import { pino } from "pino";
import { expect, it } from "vitest";
import { readApiConfiguration, startApi } from "../src/index.ts";
import { readResponse } from "../testing/read-response.ts";

const logger = pino({ level: "silent" });
const note = (content: string) => ({ type: "note.creation.requested", data: { content } });

it("hands every accepted event to a function of the broker, once and unchanged", async () => {
  const database = await openDatabase({ memory: true, applicationRole: false });
  await migrate(database);
  const delivered = new Map<string, unknown>();
  const brokerPort = await freePort();
  const worker = await startRecordingWorker(`http://127.0.0.1:${brokerPort}`, (id, data) => {
    expect(delivered.has(id)).toBe(false);
    delivered.set(id, data);
  });
  const broker = await startInngestLocal({
    database,
    keys: "none",
    port: brokerPort,
    appUrls: [worker.url],
    logger,
  });
  await broker.ready();
  await recordFunctionRegistration(database, INNGEST_APP_ID);
  const api = await startApi({
    configuration: { ...readApiConfiguration({}), port: 0 },
    engine: await engineOn(database),
    inngest: createInngestClient({ baseUrl: broker.url, isDev: true, logger }),
    logger,
  });
  const post = async (path: string, body: unknown) =>
    readResponse(
      await fetch(`${api.url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );

  const singles = await Promise.all(
    Array.from({ length: 40 }, (_, index) => post("/api/v1/events", note(`single ${index}`))),
  );
  const batch = await post(
    "/api/v1/events/batch",
    Array.from({ length: 2_500 }, (_, index) => note(`batch ${index} ✓`)),
  );
  expect((await fetch(`${api.url}/readyz`)).status).toBe(200);

  expect(batch.status).toBe(202);
  const ids = [...singles.map(({ body }) => body.id), ...batch.body.results.map(({ id }) => id ?? "")];
  await expect.poll(() => delivered.size).toBe(ids.length);
  expect([...delivered.keys()].sort()).toEqual([...ids].sort());
  expect(delivered.get(batch.body.results[7]?.id ?? "")).toEqual({ content: "batch 7 ✓" });

  await api.close();
  await broker.stop();
  await worker.stop();
  await database.close();
});

/** The worker has to know where the broker will be, and the broker where the worker is. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** The least of a worker: one function that notes down which events reached it. */
async function startRecordingWorker(baseUrl: string, record: (id: string, data: unknown) => void) {
  const client = new Inngest({ id: "synap", baseUrl, isDev: true, logger });
  const recording = client.createFunction(
    { id: "record-events", triggers: [{ event: ENVELOPE_EVENT_NAME }] },
    async ({ event }) => {
      const events = await openEnvelope(event.data);
      for (const { id, data } of events) record(id, data);
      return events.length;
    },
  );
  const app = new Hono().on(
    ["GET", "POST", "PUT"],
    "/api/inngest",
    serveFunctions({ client, functions: [recording] }),
  );
  const { port, server } = await new Promise<{ port: number; server: ReturnType<typeof serve> }>(
    (resolve) => {
      const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, (address) =>
        resolve({ port: address.port, server }),
      );
    },
  );
  return {
    url: `http://127.0.0.1:${port}/api/inngest`,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
