import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import {
  type InngestLocal,
  type InngestLocalOptions,
  RegistrationRefusedError,
  startInngestLocal,
} from "../src/index.ts";
import { engines } from "./queue-databases.ts";
import { openTestApp, type TestApp, testClient } from "./test-app.ts";
import { until } from "./until.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const json = { "content-type": "application/json" };
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describe.each(engines)("inngest-local on $name", ({ open }) => {
  async function start(options: Partial<InngestLocalOptions> = {}): Promise<{
    server: InngestLocal;
    app: TestApp;
    query: (text: string) => Promise<object[]>;
    /** Starts another broker on the same database. */
    restart: () => Promise<InngestLocal>;
  }> {
    const { database, close } = await open();
    cleanups.push(close);
    const app = await openTestApp();
    cleanups.push(() => app.close());
    const begin = async () => {
      const server = await startInngestLocal({
        database,
        keys: "none",
        port: 0,
        appUrls: [app.url],
        retryDelays: 100,
        registerInterval: 100,
        logger: silent,
        ...options,
      });
      cleanups.push(() => server.stop());
      return server;
    };
    return { server: await begin(), app, query: (text) => database.query(text), restart: begin };
  }

  describe("with a signing key", () => {
    const hex = "c0ffee42".repeat(8);
    const keys = { keys: { signingKey: hex, eventKeys: ["the-key"] } };
    const cloud = { isDev: false, eventKey: "the-key", signingKey: `signkey-prod-${hex}` };

    it("signs its calls, and the SDK in cloud mode accepts them", async () => {
      const { server, app } = await start(keys);
      const client = testClient("signed", server.url, cloud);
      const results: unknown[] = [];
      app.serve(client, [
        client.createFunction({ id: "fn", triggers: [{ event: "s/one" }] }, async ({ event, step }) => {
          const odd = await step.run("odd", () => ({
            z: 1,
            a: [1e21, -0, 0.1, "é\u2028"],
            [event.data.key]: null,
          }));
          await step.sleep("nap", "1s");
          results.push(odd);
        }),
      ]);
      await server.ready();
      await client.send({ name: "s/one", data: { key: "ключ", nested: { b: 1.0, a: "\u0000" } } });
      expect(await until("it ran", () => results.at(0))).toEqual({
        z: 1,
        a: [1e21, 0, 0.1, "é\u2028"],
        ключ: null,
      });
      expect((await fetch(`${server.url}/health`)).headers.get("x-inngest-server-kind")).toBe("cloud");
    });

    it("refuses a wrong event key and a wrong bearer", async () => {
      const { server } = await start({ ...keys, appUrls: [] });
      const event = { method: "POST", body: '{"name":"s/one"}', headers: json };
      const wrongKey = await fetch(`${server.url}/e/other`, event);
      expect([wrongKey.status, await wrongKey.json()]).toEqual([
        401,
        { status: 401, message: "", error: "Event key not found" },
      ]);
      for (const path of ["/fn/register", "/v1/checkpoint/x/async"]) {
        const headers = { ...json, authorization: `Bearer signkey-prod-${hex}` };
        const refused = await fetch(server.url + path, { method: "POST", body: "{}", headers });
        expect([refused.status, await refused.text()]).toEqual([401, "Authentication failed"]);
      }
    });

    it("is rejected by an app with another key", async () => {
      const { server, app } = await start(keys);
      const client = testClient("other", server.url, {
        ...cloud,
        signingKey: `signkey-prod-${"ab".repeat(32)}`,
      });
      app.serve(client, [client.createFunction({ id: "fn", triggers: [{ event: "s/one" }] }, async () => 1)]);
      await expect(server.ready(60_000)).rejects.toThrow(RegistrationRefusedError);
    });
  });

  it("refuses events while its backlog is full, with Retry-After, and accepts them afterwards", async () => {
    const { server, app } = await start({ maxDelay: 500 });
    const client = testClient("slow", server.url);
    const seen = new Set<unknown>();
    app.serve(client, [
      client.createFunction(
        { id: "fn", triggers: [{ event: "s/slow" }], concurrency: 1 },
        async ({ event }) => {
          await sleep(40);
          seen.add(event.data.k);
        },
      ),
    ]);
    await server.ready();
    const send = async (events: { name: string; data: object }[]) => {
      const response = await fetch(`${server.url}/e/test`, {
        method: "POST",
        body: JSON.stringify(events),
        headers: json,
      });
      await response.text();
      return response;
    };
    const events = Array.from({ length: 100 }, (_, k) => ({ name: "s/slow", data: { k } }));
    expect((await send(events)).status).toBe(200);
    await until("the pace is known", () => seen.size >= 30);
    const last = [{ name: "s/slow", data: { k: "last" } }];
    const refused = await send(last);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    while ((await send(last)).status !== 200) await sleep(100);
    await until("all ran", () => seen.size === 101);
  });

  it("refuses events until functions are registered, and keeps registrations across a restart", async () => {
    const { server, app, restart } = await start();
    const client = testClient("first", server.url);
    const event = { name: "f/a", data: {} };
    const refused = await fetch(`${server.url}/e/test`, {
      method: "POST",
      body: JSON.stringify(event),
      headers: json,
    });
    expect([refused.status, await refused.json()]).toEqual([
      503,
      { ids: [""], status: 503, error: expect.stringContaining("No app has registered functions") },
    ]);
    await expect(client.send(event)).rejects.toThrow("No app has registered functions");

    let ran = 0;
    app.serve(client, [
      client.createFunction({ id: "fn", triggers: [{ event: "f/a" }] }, async () => {
        ran += 1;
      }),
    ]);
    await server.ready();
    await client.send(event);
    await until("it ran", () => ran === 1);

    await server.stop();
    // The app can't register here, because its client still uses the first one.
    const second = await restart();
    await testClient("first", second.url).send(event);
    await until("it ran again", () => ran === 2);
  });

  it("refuses an app that uses an unsupported option, naming the function and the option", async () => {
    const { server, app } = await start();
    const client = testClient("refused", server.url);
    app.serve(client, [
      client.createFunction({ id: "fine", triggers: [{ event: "r/a" }] }, async () => 1),
      client.createFunction(
        { id: "slowly", triggers: [{ event: "r/a" }], throttle: { limit: 1, period: "1s" } },
        async () => 1,
      ),
      client.createFunction(
        { id: "stoppable", triggers: [{ event: "r/a" }], cancelOn: [{ event: "r/stop" }] },
        async () => 1,
      ),
    ]);
    await expect(server.ready()).rejects.toThrow(
      /function "refused-slowly": the option "throttle" is not supported.*function "refused-stoppable": the option "cancelOn"/,
    );
  });

  it("fails a run that uses an unsupported operation, naming the operation", async () => {
    const { server, app, query } = await start();
    const client = testClient("op", server.url);
    app.serve(client, [
      client.createFunction({ id: "fn", triggers: [{ event: "o/a" }] }, async ({ step }) => {
        await step.waitForSignal("sig", { signal: "x", timeout: "1m", onConflict: "replace" });
      }),
    ]);
    await server.ready();
    await client.send({ name: "o/a", data: {} });
    const runs = await until("it has failed", async () => {
      const failed = await query(`SELECT error FROM inngest_local.runs WHERE status = 'failed'`);
      return failed.length > 0 && failed;
    });
    expect(JSON.stringify(runs)).toMatch(/WaitForSignal is not supported by inngest-local/);
  });

  it("starts functions at their cron times, once for each time", async () => {
    const { server, app } = await start();
    const client = testClient("cron", server.url);
    const events: { id?: string | undefined; name: string; data: { cron: string; scheduledAt: string } }[] =
      [];
    app.serve(client, [
      client.createFunction(
        { id: "fn", triggers: [{ cron: "TZ=Europe/Paris */1 * * * * *" }] },
        async ({ event }) => {
          events.push(JSON.parse(JSON.stringify(event)));
        },
      ),
    ]);
    await server.ready();
    await until("three times", () => events.length >= 3);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events[0]).toMatchObject({
      name: "inngest/scheduled.timer",
      data: { cron: "TZ=Europe/Paris */1 * * * * *" },
    });
    const times = events.map(({ data }) => Date.parse(data.scheduledAt));
    expect(new Set(times).size).toBe(times.length);
    expect(times.filter((time) => time % 1_000 !== 0)).toEqual([]);
    // A busy machine may miss a second, and missed times are skipped.
    expect(times.slice(1).map((time, index) => time - (times[index] ?? 0))).toContain(1_000);
  });

  it("registers again an app that restarted with other functions", async () => {
    const { server, app } = await start({ reregisterInterval: 200 });
    const client = testClient("changing", server.url);
    const seen: string[] = [];
    const note = (id: string) =>
      client.createFunction({ id, triggers: [{ event: "c/a" }] }, async () => void seen.push(id));
    app.serve(client, [note("old")]);
    await server.ready();
    app.serve(client, [note("new"), note("newer")]);
    const page = async () => (await fetch(server.url)).text();
    await until("it is registered again", async () => (await page()).includes("changing-newer"));
    await client.send({ name: "c/a", data: {} });
    await until("both ran", () => seen.length >= 2);
    expect(seen.sort()).toEqual(["new", "newer"]);
  });

  it("deletes finished runs, and keeps failed ones with their events", async () => {
    const { server, app, query } = await start({ retention: { completedRuns: 0, keys: 0 } });
    const client = testClient("prune", server.url);
    app.serve(client, [
      client.createFunction({ id: "fn", triggers: [{ event: "p/a" }], retries: 0 }, async ({ event }) => {
        if (event.data.fail) throw new Error("kept");
      }),
    ]);
    await server.ready();
    await client.send([
      { name: "p/a", data: {} },
      { name: "p/a", data: { fail: true } },
    ]);
    let left: unknown;
    for (let tries = 0; tries < 600; tries += 1) {
      await sleep(100);
      [left] = await query(
        `SELECT (SELECT count(*)::integer FROM inngest_local.events) AS events,
                (SELECT count(*)::integer FROM inngest_local.runs WHERE status = 'failed') AS failed,
                (SELECT count(*)::integer FROM inngest_local.runs) AS runs,
                (SELECT count(*)::integer FROM inngest_local.run_keys) AS keys,
                (SELECT count(*)::integer FROM inngest_local.jobs) AS jobs`,
      );
      if (JSON.stringify(left) === JSON.stringify({ events: 1, failed: 1, runs: 1, keys: 0, jobs: 0 })) break;
    }
    expect(left).toEqual({ events: 1, failed: 1, runs: 1, keys: 0, jobs: 0 });
  });

  it("shows apps, functions and runs on a page that is safe to look at", async () => {
    const { server, app } = await start();
    const client = testClient("shown", server.url);
    let done = 0;
    app.serve(client, [
      client.createFunction(
        { id: "fn", name: "A <b>function</b>", triggers: [{ event: "v/a" }], retries: 0 },
        async ({ step }) => {
          await step.run("count it", () => (done += 1));
          throw new Error("<script>alert(1)</script>");
        },
      ),
    ]);
    await server.ready();
    await client.send([
      { name: "v/a", data: {} },
      { name: "v/nobody", data: {} },
    ]);
    await until("it ran", () => done === 1);
    const { headers, page } = await until("the page shows the result", async () => {
      const response = await fetch(server.url);
      const text = await response.text();
      return text.includes("&lt;script&gt;alert") && { headers: response.headers, page: text };
    });
    expect(headers.get("content-type")).toMatch(/^text\/html/);
    for (const text of [
      "A &lt;b&gt;function",
      "shown-fn",
      "count it",
      `<td class="failed">failed</td>`,
      "&lt;script&gt;alert",
      "v/nobody (1)",
    ]) {
      expect(page).toContain(text);
    }
    expect(page).not.toContain("<script");
  });
});
