import type { Inngest } from "inngest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type InngestLocal, type InngestLocalOptions, startInngestLocal } from "../src/index.ts";
import { DEFAULT_RETENTION, Pruner } from "../src/queue/prune.ts";
import { engines, type TestDatabase } from "./queue-databases.ts";
import { openTestApp, type TestApp, testClient } from "./test-app.ts";
import { until } from "./until.ts";

const keptSchema = z.object({ unmatchedEvents: z.number(), failingHandlers: z.number() });

describe.each(engines)("work kept until an operator acts, on $name", ({ open }) => {
  let queue: TestDatabase;
  let app: TestApp;
  let server: InngestLocal;
  let client: Inngest;
  let errors: string[];

  beforeEach(async () => {
    queue = await open();
    app = await openTestApp();
    errors = [];
    await start();
  });
  afterEach(async () => {
    await server.stop();
    await app.close();
    await queue.close();
  });

  async function start(options: Partial<InngestLocalOptions> = {}): Promise<void> {
    server = await startInngestLocal({
      database: queue.database,
      keys: "none",
      port: 0,
      appUrls: [app.url],
      retryDelays: 1,
      registerInterval: 50,
      reregisterInterval: 50,
      logger: {
        info: () => undefined,
        warn: () => undefined,
        error: (_details, message) => errors.push(message),
      },
      ...options,
    });
    client = testClient("keeper", server.url);
  }
  const recorder = (name: string, seen: unknown[]) =>
    client.createFunction({ id: name, triggers: [{ event: `k/${name}` }] }, async ({ event }) => {
      seen.push(event.data["n"]);
    });
  const kept = async () => {
    const response = await fetch(`${server.url}/kept`);
    return keptSchema.parse(await response.json());
  };
  const send = async (names: readonly string[]) => {
    const response = await fetch(`${server.url}/e/test`, {
      method: "POST",
      body: JSON.stringify(names.map((name, n) => ({ name, data: { n } }))),
      headers: { "content-type": "application/json" },
    });
    await response.text();
    return response.status;
  };
  const DAYS = 24 * 3_600_000;
  const pruneAfter = async (days: number) => {
    const pruner = new Pruner(queue.database, DEFAULT_RETENTION);
    while (await pruner.prune(Date.now() + days * DAYS));
  };

  it("keeps events that match no function, counts and shows them, and starts the function that is registered later", async () => {
    const seen: unknown[] = [];
    app.serve(client, [recorder("other", [])]);
    await server.ready();
    await client.send(Array.from({ length: 30 }, (_, n) => ({ name: "k/later", data: { n } })));
    await client.send({ name: "k/never", data: {} });
    await until("they are counted", async () => (await kept()).unmatchedEvents === 31);
    expect(errors).toEqual([
      "no registered function matches an event; it is kept until one does",
      "no registered function matches an event; it is kept until one does",
    ]);
    const page = await (await fetch(server.url)).text();
    expect(page).toContain("k/later (30)");
    await pruneAfter(400);

    await server.stop();
    await start();
    expect(await kept()).toEqual({ unmatchedEvents: 31, failingHandlers: 0 });
    app.serve(client, [recorder("other", []), recorder("later", seen)]);
    await until("they have run", () => seen.length === 30);
    expect([...seen].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 30 }, (_, n) => n));
    await until("they are no longer counted", async () => (await kept()).unmatchedEvents === 1);
  });

  it("loses none of the events that arrive while their function is being registered", async () => {
    const seen: unknown[] = [];
    app.serve(client, [recorder("other", [])]);
    await server.ready();
    let sent = 0;
    let isDone = false;
    const sending = (async () => {
      while (!isDone || sent < 20) {
        expect(await send(["k/soon", "k/soon"])).toBe(200);
        sent += 2;
      }
    })();
    await until("some were sent", () => sent >= 4);
    app.serve(client, [recorder("soon", seen)]);
    await until("the function has started", () => seen.length > 0);
    isDone = true;
    await sending;
    await until("all have run", () => seen.length === sent);
    await until("none is left", async () => (await kept()).unmatchedEvents === 0);
    expect(seen).toHaveLength(sent);
  });

  it("refuses unmatched events beyond its limit, and accepts all others", async () => {
    const seen: unknown[] = [];
    app.serve(client, [recorder("other", seen)]);
    await server.ready();
    for (const _ of [1, 2]) expect(await send(Array<string>(5_000).fill("k/junk"))).toBe(200);
    await until("they are counted", async () => (await kept()).unmatchedEvents === 10_000);
    expect(await send(["k/junk", "k/other"])).toBe(503);
    expect(await send(["k/other"])).toBe(200);
    await until("it has run", () => seen.length === 1);
  });

  it("never ends a failure handler as failed: its event stays, counted, until the handler succeeds", async () => {
    await server.stop();
    await start({ failureHandlerDelay: 1 });
    const handled: unknown[] = [];
    let failures = 0;
    let isMended = false;
    app.serve(client, [
      client.createFunction(
        {
          id: "failing",
          triggers: [{ event: "k/failing" }],
          retries: 0,
          onFailure: async ({ event }) => {
            if (!isMended) {
              failures += 1;
              throw new Error("the handler fails too");
            }
            handled.push(event.data.event.data);
          },
        },
        async () => {
          throw new Error("never");
        },
      ),
    ]);
    await server.ready();
    await client.send({ name: "k/failing", data: { precious: 1 } });
    // An onFailure function has two attempts.
    await until("it was restarted twice", () => failures > 4);
    await until("it is counted", async () => (await kept()).failingHandlers === 1);
    expect(errors).toContain(
      "a failure handler failed in all its attempts; it keeps its event and will be restarted",
    );
    await pruneAfter(400);
    isMended = true;
    await until("it has succeeded", () => handled.length === 1);
    expect(handled).toEqual([{ precious: 1 }]);
    await server.stop();
    await start();
    expect(await kept()).toEqual({ unmatchedEvents: 0, failingHandlers: 0 });
  });

  it("counts a failure handler that pauses, and calls it after the pause with all its attempts again", async () => {
    const attempts: number[] = [];
    let isAway = true;
    app.serve(client, [
      client.createFunction({ id: "failing", triggers: [{ event: "k/failing" }], retries: 0 }, async () => {
        throw new Error("never");
      }),
      client.createFunction(
        { id: "pausing", triggers: [{ event: "inngest/function.failed" }], retries: 1 },
        async ({ attempt, step }) => {
          attempts.push(attempt);
          if (!isAway) return;
          if (attempt === 1) await step.sleep(`pause ${attempts.length}`, "1s");
          throw new Error("the store is away");
        },
      ),
    ]);
    await server.ready();
    await client.send({ name: "k/failing", data: {} });
    await until("it has paused twice", () => attempts.length > 4);
    await until("it is counted", async () => (await kept()).failingHandlers === 1);
    expect(attempts.slice(0, 5)).toEqual([0, 1, 0, 1, 0]);
    isAway = false;
    await until("it is over", async () => (await kept()).failingHandlers === 0);
  });
});
