import { once } from "node:events";
import { createServer } from "node:http";
import { openDatabase } from "@synap/database";
import { openEnvelope } from "@synap/handlers/internal";
import { type InngestLocal, startInngestLocal } from "@synap/inngest-local";
import { ENVELOPE_EVENT_NAME } from "@synap/types/internal";
import { Inngest, type InngestFunction } from "inngest";
import { serve } from "inngest/node";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

const logger = pino({ level: "silent" });

describe("accepted events that match no function of the broker", () => {
  let api: TestApi;
  let broker: InngestLocal;
  let functions: InngestFunction.Any[] = [];
  const received: string[] = [];
  let register = () => {};
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    let client: Inngest | undefined;
    // The functions are served by whatever is in `functions` at the moment of the call.
    const app = createServer((request, response) => {
      if (client === undefined) response.writeHead(404).end();
      else void serve({ client, functions })(request, response);
    });
    app.listen(0, "127.0.0.1");
    await once(app, "listening");
    const address = app.address();
    const appUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/api/inngest`;
    const queue = await openDatabase({ memory: true, applicationRole: false });
    broker = await startInngestLocal({
      database: queue,
      keys: "none",
      port: 0,
      appUrls: [appUrl],
      registerInterval: 50,
      reregisterInterval: 50,
      retryDelays: 1,
      failureHandlerDelay: 1,
      logger,
    });
    client = new Inngest({ id: "synap", baseUrl: broker.url, isDev: true, logger });
    functions = [client.createFunction({ id: "else", triggers: [{ event: "x/else" }] }, async () => 1)];
    await broker.ready();
    api = await startTestApi({}, "embedded", { brokerUrl: broker.url });
    const listening = client.createFunction(
      { id: "record", triggers: [{ event: ENVELOPE_EVENT_NAME }] },
      async ({ event }) => {
        received.push(...(await openEnvelope(event.data)).map(({ id }) => id));
      },
    );
    register = () => {
      functions = [...functions, listening];
    };
    cleanups.push(
      () => api.stop(),
      () => broker.stop(),
      () => new Promise((resolve) => app.close(resolve).closeAllConnections()),
      () => queue.close(),
    );
  });
  afterAll(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const warnings = async (): Promise<unknown> => {
    const readiness: unknown = await (await fetch(`${api.url}/readyz`)).json();
    return z.looseObject({ warnings: z.unknown() }).parse(readiness).warnings;
  };
  const get = async (path: string) => (await readResponse(await fetch(`${api.url}${path}`))).body;

  it("are kept, counted, warned of, and handed over once a function listens", async () => {
    expect(await get("/api/v1/status")).toMatchObject({
      keptInBroker: { unmatchedEvents: 0, failingHandlers: 0 },
    });
    const { status, body } = await readResponse(
      await fetch(`${api.url}/api/v1/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ type: "note.creation.requested", data: { content: "unmatched" } }),
      }),
    );
    expect(status).toBe(202);
    await vi.waitFor(
      async () =>
        expect(await get("/api/v1/status")).toMatchObject({
          keptInBroker: { unmatchedEvents: 1, failingHandlers: 0 },
        }),
      { timeout: 45_000 },
    );
    expect(await warnings()).toContainEqual({
      code: "events-kept-in-broker",
      detail: "no registered function matches 1 event: start a worker, which registers its functions",
    });
    const metrics = await (await fetch(`${api.url}/metrics`)).text();
    expect(metrics).toContain('synap_kept_in_broker{kind="unmatched-event"} 1');
    register();
    await vi.waitFor(() => expect(received).toEqual([body.id]), { timeout: 45_000 });
    await vi.waitFor(async () => expect(await warnings()).toMatchObject([{ code: "no-worker" }]), {
      timeout: 45_000,
    });
  });
});
