import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { ClientRequest } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type InngestLocalOptions, type QueueDatabase, startInngestLocal } from "../src/index.ts";
import { engines, type TestDatabase } from "./queue-databases.ts";
import { openTestApp, type TestApp, testClient } from "./test-app.ts";
import { until } from "./until.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function openApp(port = 0): Promise<TestApp> {
  const app = await openTestApp(port);
  cleanups.push(() => app.close());
  return app;
}

/** Counts the calls to this port that were refused. */
function countRefusedCalls(port: number): { readonly calls: number } {
  const refusals = { calls: 0 };
  const channel = "http.client.request.error";
  const count = (message: unknown) => {
    const { request, error } = message as { request: ClientRequest; error: NodeJS.ErrnoException };
    const isCall = request.method === "POST" && request.getHeader("host") === `127.0.0.1:${port}`;
    if (isCall && error.code === "ECONNREFUSED") refusals.calls += 1;
  };
  subscribe(channel, count);
  cleanups.push(async () => unsubscribe(channel, count));
  return refusals;
}

describe.each(engines)("inngest-local on $name keeps what it accepted", ({ open }) => {
  async function openDatabase(): Promise<TestDatabase> {
    const opened = await open();
    cleanups.push(() => opened.close());
    return opened;
  }
  async function start(opened: TestDatabase, app: TestApp, options: Partial<InngestLocalOptions> = {}) {
    const server = await startInngestLocal({
      database: opened.database,
      keys: "none",
      port: 0,
      appUrls: [app.url],
      retryDelays: 100,
      registerInterval: 100,
      ...options,
    });
    cleanups.push(() => server.stop());
    return server;
  }

  it("continues queued events and sleeping runs after a restart", async () => {
    const opened = await openDatabase();
    const app = await openApp();
    const first = await start(opened, app, { stopDeadline: 60_000 });
    const ran: string[] = [];
    const client = testClient("again", first.url);
    // Slow functions don't end before the first server is stopped.
    const stopping = new AbortController();
    const functions = (current: typeof client) => [
      current.createFunction(
        { id: "slow", triggers: [{ event: "d/slow" }], concurrency: 1 },
        async ({ event }) => {
          if (!stopping.signal.aborted) await once(stopping.signal, "abort");
          ran.push(`slow ${event.data["n"]}`);
        },
      ),
      current.createFunction({ id: "sleeper", triggers: [{ event: "d/sleep" }] }, async ({ step }) => {
        await step.run("before", () => ran.push("before the sleep"));
        await step.sleep("nap", "2s");
        await step.run("after", () => ran.push("after the sleep"));
      }),
    ];
    app.serve(client, functions(client));
    await first.ready();
    await client.send([
      ...[1, 2, 3, 4, 5].map((n) => ({ name: "d/slow", data: { n } })),
      { name: "d/sleep", data: {} },
    ]);
    await until("the sleep has begun", () => ran.includes("before the sleep"));
    const stopped = first.stop();
    stopping.abort();
    await stopped;
    expect(ran.filter((entry) => entry.startsWith("slow")).length).toBeLessThan(5);
    await expect(client.send({ name: "d/slow", data: {} })).rejects.toThrow();

    const second = await start(opened, app);
    const nextClient = testClient("again", second.url);
    // The app has not registered with the second yet, so the stored registration applies.
    await nextClient.send({ name: "d/slow", data: { n: 6 } });
    app.serve(nextClient, functions(nextClient));
    await until("everything has run", () => ran.includes("after the sleep") && ran.length >= 8);
    expect([...ran].sort()).toEqual([
      "after the sleep",
      "before the sleep",
      "slow 1",
      "slow 2",
      "slow 3",
      "slow 4",
      "slow 5",
      "slow 6",
    ]);
  });

  it("spends no attempts on an app that refuses the connection", async () => {
    const opened = await openDatabase();
    const app = await openApp();
    const server = await start(opened, app);
    const client = testClient("away", server.url);
    const attempts: number[] = [];
    const functions = [
      client.createFunction(
        { id: "fn", triggers: [{ event: "d/away" }], retries: 0 },
        async ({ attempt }) => {
          attempts.push(attempt);
        },
      ),
    ];
    app.serve(client, functions);
    await server.ready();
    await app.close();
    const refusals = countRefusedCalls(app.port);
    await client.send([
      { name: "d/away", data: {} },
      { name: "d/away", data: {} },
    ]);
    // Both, and one of them again.
    await until("three calls were refused", () => refusals.calls >= 3);
    const back = await openApp(app.port);
    back.serve(client, functions);
    await until("both ran", () => attempts.length === 2);
    expect(attempts).toEqual([0, 0]);
  });

  // The timeout is shorter than the poll interval of a minute, which would find it too.
  it("repeats a call that becomes due while the queue is being read", async () => {
    const opened = await openDatabase();
    const app = await openApp();
    vi.useFakeTimers({ toFake: ["Date"] });
    cleanups.push(async () => vi.useRealTimers());
    // The clock advances only while due calls are read, so that each becomes due in that moment.
    const query: QueueDatabase["query"] = (text, parameters) => {
      if (text.includes("due_at <=")) vi.setSystemTime(Date.now() + 40);
      return opened.database.query(text, parameters);
    };
    const server = await start({ ...opened, database: { ...opened.database, query } }, app);
    const client = testClient("early", server.url);
    const attempts: number[] = [];
    const done = new AbortController();
    app.serve(client, [
      client.createFunction(
        { id: "fn", triggers: [{ event: "d/early" }], retries: 3 },
        async ({ attempt }) => {
          attempts.push(attempt);
          if (attempt < 3) throw new Error("not yet");
          done.abort();
        },
      ),
    ]);
    await server.ready();
    await client.send({ name: "d/early", data: {} });
    if (!done.signal.aborted) await once(done.signal, "abort");
    expect(attempts).toEqual([0, 1, 2, 3]);
  }, 40_000);

  it("finishes calls in flight when it is stopped, refuses further events and leaves the rest queued", async () => {
    const opened = await openDatabase();
    const app = await openApp();
    const server = await start(opened, app, { stopDeadline: 60_000 });
    const client = testClient("stop", server.url);
    const begun: number[] = [];
    const refusing = new AbortController();
    app.serve(client, [
      client.createFunction(
        { id: "fn", triggers: [{ event: "d/stop" }], concurrency: 1 },
        async ({ event, step }) => {
          begun.push(event.data.n);
          await once(refusing.signal, "abort");
          await step.run("saved while stopping", () => true);
          return event.data.n;
        },
      ),
    ]);
    await server.ready();
    await client.send([1, 2].map((n) => ({ name: "d/stop", data: { n } })));
    await until("the first call is in flight", () => begun.length === 1);
    const stopped = server.stop();
    const refused = await fetch(`${server.url}/e/key`, {
      method: "POST",
      body: '{"name":"d/stop"}',
      headers: { "content-type": "application/json" },
    });
    expect([refused.status, await refused.json()]).toEqual([503, expect.objectContaining({ status: 503 })]);
    refusing.abort();
    await stopped;
    const runs = await opened.database.query(`SELECT status, output FROM inngest_local.runs ORDER BY status`);
    expect(runs).toEqual([
      { status: "completed", output: String(begun[0]) },
      { status: "open", output: null },
    ]);
    expect(begun).toHaveLength(1);
  });

  it("hands the queue over to a broker that starts later, and stops", async () => {
    const opened = await openDatabase();
    const app = await openApp();
    const messages: string[] = [];
    const logger = {
      info: () => undefined,
      warn: () => undefined,
      error: (_: object, text: string) => messages.push(text),
    };
    const first = await start(opened, app, { logger });
    const second = await start(opened, app);
    const client = testClient("owner", second.url);
    let ran = 0;
    app.serve(client, [
      client.createFunction({ id: "fn", triggers: [{ event: "d/owner" }] }, async () => {
        ran += 1;
      }),
    ]);
    await second.ready();
    await client.send({ name: "d/owner", data: {} });
    await until("it ran", () => ran === 1);
    await until("the first one noticed", () => messages.length > 0);
    expect(messages).toEqual(["another inngest-local has taken this queue over; stopping"]);
    await first.stop();
    expect(ran).toBe(1);
  });
});
