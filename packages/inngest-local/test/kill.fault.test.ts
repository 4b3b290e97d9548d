import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { openTestApp, testClient } from "./test-app.ts";
import { until } from "./until.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("inngest-local survives kill -9", () => {
  it("runs everything it accepted, and repeats no saved step", async () => {
    const directory = await mkdtemp(join(tmpdir(), "inngest-local-"));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    const app = await openTestApp();
    cleanups.push(() => app.close());
    const free = await openTestApp();
    const port = free.port;
    await free.close();
    const client = testClient("killed", `http://127.0.0.1:${port}`);
    const firstSteps = new Map<number, number>();
    const completed = new Set<number>();
    app.serve(client, [
      client.createFunction(
        { id: "fn", triggers: [{ event: "k/event" }], concurrency: 5 },
        async ({ event, step }) => {
          const { n } = event.data;
          await step.run("first", () => firstSteps.set(n, (firstSteps.get(n) ?? 0) + 1).size);
          await sleep(40);
          await step.run("second", () => completed.add(n).size);
        },
      ),
    ]);
    const spawn = async (): Promise<ChildProcess> => {
      const child = fork(
        new URL("./broker-process.ts", import.meta.url),
        [directory, String(port), app.url],
        {
          execArgv: ["--import", "tsx"],
        },
      );
      cleanups.push(async () => child.kill("SIGKILL"));
      await once(child, "message");
      return child;
    };
    const total = 120;
    let child = await spawn();
    for (const kill of [0, 1]) {
      const from = (total / 2) * kill;
      const { ids } = await client.send(
        Array.from({ length: total / 2 }, (_, n) => ({ name: "k/event", data: { n: from + n } })),
      );
      expect(ids).toHaveLength(total / 2);
      await until("some runs are done", () => completed.size > from + 5);
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
      child = await spawn();
    }
    await until("all runs are done", () => completed.size === total);
    // A step may run again only when the kill came before it could be saved: at most those in flight at a kill.
    const repeated = [...firstSteps.values()].filter((times) => times > 1).length;
    expect(repeated).toBeLessThanOrEqual(10);
  });
});
