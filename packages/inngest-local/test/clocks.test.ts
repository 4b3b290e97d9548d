import { afterEach, describe, expect, it } from "vitest";
import { type InngestLocalOptions, type MachineClocks, startInngestLocal } from "../src/index.ts";
import { engines } from "./queue-databases.ts";
import { openTestApp, testClient } from "./test-app.ts";
import { until } from "./until.ts";

const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;
const MOVES = [-3 * HOUR, 2 * WEEK, -2 * WEEK, 3 * HOUR];

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** This machine's clocks, with a wall clock that the test sets. */
function settableClocks() {
  let offset = 0;
  const clocks: MachineClocks = {
    wall: () => Date.now() + offset,
    steady: () => performance.now(),
    sinceBoot: () => performance.now(),
  };
  return { clocks, set: (by: number) => (offset += by) };
}

describe.each(engines)("inngest-local on $name, when the clock is set", ({ open }) => {
  async function start(options: Partial<InngestLocalOptions> = {}) {
    const { database, close } = await open();
    cleanups.push(close);
    const app = await openTestApp();
    cleanups.push(() => app.close());
    const { clocks, set } = settableClocks();
    const begin = async () => {
      const server = await startInngestLocal({
        database,
        keys: "none",
        port: 0,
        appUrls: [app.url],
        retryDelays: 200,
        registerInterval: 50,
        clocks,
        ...options,
      });
      cleanups.push(() => server.stop());
      return server;
    };
    const query = <Row extends object>(text: string) => database.query<Row>(text);
    return { server: await begin(), app, begin, set, query };
  }

  it("continues retries, sleeps and cron times undisturbed", async () => {
    const { server, app, set } = await start();
    const client = testClient("set", server.url);
    const ran: string[] = [];
    let ticks = 0;
    const failed = new Set<unknown>();
    app.serve(client, [
      client.createFunction({ id: "retried", triggers: [{ event: "k/a" }] }, async ({ event }) => {
        if (!failed.has(event.data["k"])) {
          failed.add(event.data["k"]);
          throw new Error("once");
        }
        ran.push(`retried ${event.data["k"]}`);
      }),
      client.createFunction({ id: "sleeper", triggers: [{ event: "k/a" }] }, async ({ event, step }) => {
        await step.sleep("nap", "1s");
        ran.push(`slept ${event.data["k"]}`);
      }),
      client.createFunction({ id: "ticking", triggers: [{ cron: "*/1 * * * * *" }] }, async () => {
        ticks += 1;
      }),
    ]);
    await server.ready();
    for (const by of MOVES) {
      await client.send({ name: "k/a", data: { k: by } });
      await until("it has failed once", () => failed.has(by));
      set(by);
      const before = ticks;
      for (const what of ["retried", "slept"]) {
        await until(`${what} after the clock was set by ${by} ms`, () => ran.includes(`${what} ${by}`));
      }
      await until("the cron function ran twice more", () => ticks >= before + 2);
    }
    expect(ran).toHaveLength(new Set(ran).size);
  });

  it("retries an app that was unavailable while the clock was set back", async () => {
    const { server, app, set } = await start();
    const client = testClient("away", server.url);
    let ran = 0;
    const serve = (on: typeof app) =>
      on.serve(client, [
        client.createFunction({ id: "fn", triggers: [{ event: "k/a" }] }, async () => {
          ran += 1;
        }),
      ]);
    serve(app);
    await server.ready();
    await app.close();
    await client.send({ name: "k/a", data: {} });
    // The pauses grow to two seconds, so by then one began before the clock is set.
    set(-3 * HOUR);
    const again = await openTestApp(app.port);
    cleanups.push(() => again.close());
    serve(again);
    await until("it ran", () => ran === 1);
  });

  it.each([-3 * HOUR, -2 * WEEK])(
    "has nothing wait after a restart with a clock set by %i ms",
    async (by) => {
      const { server, app, begin, set, query } = await start();
      const client = testClient("restarted", server.url);
      const ran: string[] = [];
      const functions = (current: typeof client) => [
        current.createFunction({ id: "fn", triggers: [{ event: "k/a" }] }, async () => void ran.push("ran")),
        current.createFunction({ id: "sleeper", triggers: [{ event: "k/b" }] }, async ({ step }) => {
          await step.sleep("nap", "2s");
          ran.push("slept");
        }),
      ];
      app.serve(client, functions(client));
      await server.ready();
      await client.send({ name: "k/b", data: {} });
      await until("it sleeps", async () => (await query("SELECT 1 FROM inngest_local.steps")).length === 1);
      // Accepted and not called, because the app is unavailable.
      app.serve(testClient("nobody", server.url), []);
      app.answerInstead(() => new Response("away", { status: 503 }));
      await client.send({ name: "k/a", data: {} });
      await server.stop();
      set(by);
      app.answerInstead(undefined);
      const second = await begin();
      const current = testClient("restarted", second.url);
      app.serve(current, functions(current));
      await until("both have run", () => ran.length === 2);
      expect(ran.sort()).toEqual(["ran", "slept"]);
    },
  );

  it("expires nothing and runs nothing early when it is set forward", async () => {
    const { server, app, set, query } = await start({ retryDelays: HOUR });
    const client = testClient("forward", server.url);
    const ran: unknown[] = [];
    app.serve(client, [
      client.createFunction({ id: "fn", triggers: [{ event: "k/a" }], concurrency: 1 }, async ({ event }) => {
        ran.push(event.data["k"]);
      }),
      client.createFunction({ id: "failing", triggers: [{ event: "k/fail" }], retries: 0 }, async () => {
        throw new Error("kept");
      }),
      client.createFunction({ id: "retried", triggers: [{ event: "k/retry" }] }, async () => {
        ran.push("retry");
        throw new Error("again in an hour");
      }),
    ]);
    await server.ready();
    await client.send([
      { name: "k/a", data: { k: "first" }, id: "same" },
      { name: "k/fail", data: {} },
      { name: "k/retry", data: {} },
    ]);
    const runs = () =>
      query<{ status: string; attempt: number }>(
        "SELECT status, attempt FROM inngest_local.runs ORDER BY 1, 2",
      );
    const settled = [
      { status: "completed", attempt: 0 },
      { status: "failed", attempt: 0 },
      { status: "open", attempt: 1 },
    ];
    await until("all have settled", async () => JSON.stringify(await runs()) === JSON.stringify(settled));
    set(2 * WEEK);
    await client.send({ name: "k/a", data: { k: "repeated" }, id: "same" });
    await client.send([
      { name: "k/a", data: { k: "second" } },
      { name: "k/a", data: { k: "third" } },
    ]);
    await until("the new ones ran", () => ran.includes("second") && ran.includes("third"));
    // Finished runs are pruned some seconds later, after a complete pass.
    await until("a pass has pruned", async () => {
      return (await query("SELECT 1 FROM inngest_local.events")).length === 2;
    });
    expect(await runs()).toEqual([
      { status: "completed", attempt: 0 },
      { status: "completed", attempt: 0 },
      ...settled,
    ]);
    expect(ran.sort()).toEqual(["first", "retry", "second", "third"]);
  });
});
