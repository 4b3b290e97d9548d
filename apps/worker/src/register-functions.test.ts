import { createTestDatabase } from "@synap/database/testing";
import { type InngestLocal, startInngestLocal } from "@synap/inngest-local";
import { engineOn } from "@synap/synap/testing/engine-on.ts";
import { Inngest } from "inngest";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { queueOn } from "../testing/broker-and-worker.ts";
import { EVENT_KEY, SIGNING_KEY } from "../testing/signed-call.ts";
import { readWorkerConfiguration } from "./configuration.ts";
import { keepRegistered } from "./register-functions.ts";
import { startWorker } from "./server.ts";

describe("a worker that registers itself", () => {
  it("registers again with a broker that was replaced by an empty one, and warns of possible losses", async () => {
    const [store, first, second] = await Promise.all([
      createTestDatabase("embedded"),
      createTestDatabase("embedded", "empty"),
      createTestDatabase("embedded", "empty"),
    ]);
    const silent = pino({ level: "silent" });
    const startBroker = (own: typeof first, port: number): Promise<InngestLocal> =>
      startInngestLocal({
        database: queueOn(own.database),
        keys: { signingKey: SIGNING_KEY, eventKeys: [EVENT_KEY] },
        port,
        appUrls: [],
        logger: silent,
      });
    const appsOf = ({ database }: typeof first) =>
      queueOn(database).query<{ name: string }>("SELECT name FROM inngest_local.apps");
    let broker = await startBroker(first, 0);
    const worker = await startWorker({
      configuration: { ...readWorkerConfiguration({}), port: 0, residentHandlers: false },
      engine: await engineOn(store.database),
      inngest: new Inngest({
        id: "synap",
        isDev: false,
        eventKey: EVENT_KEY,
        signingKey: SIGNING_KEY,
        baseUrl: broker.url,
        logger: silent,
      }),
      logger: silent,
    });
    const said: string[] = [];
    const note = (message: string) => said.push(message.replace(/: .*/s, ""));
    const ending = new AbortController();
    const registering = keepRegistered({
      register: () => worker.register(),
      logger: { info: note, warn: note },
      signal: ending.signal,
      intervalMs: 20,
    });
    try {
      await expect.poll(() => appsOf(first)).toHaveLength(1);
      await expect.poll(() => said).toEqual(["registered with Inngest"]);

      const { port } = new URL(broker.url);
      await broker.stop();
      await expect.poll(() => said.at(-1)).toBe("not registered with Inngest");
      broker = await startBroker(second, Number(port));
      await expect.poll(() => appsOf(second)).toHaveLength(1);
      await expect
        .poll(() => said.slice(-2))
        .toEqual([
          "registered with Inngest",
          "Inngest no longer knew these functions and has registered them again",
        ]);
    } finally {
      ending.abort();
      await registering;
      await worker.close();
      await broker.stop();
      await Promise.all([store.drop(), first.drop(), second.drop()]);
    }
  });
});
