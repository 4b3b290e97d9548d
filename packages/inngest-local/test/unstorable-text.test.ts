import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type InngestLocal, startInngestLocal } from "../src/index.ts";
import { engines, type TestDatabase } from "./queue-databases.ts";
import { openTestApp, type TestApp, testClient } from "./test-app.ts";

const NUL = "a NUL character (U+0000); leave it out";
const HALF = "half of a surrogate pair; send whole Unicode characters";
const FAULTS = [
  ["a\0b", NUL],
  ["a\ud83d", HALF],
  ["\udc00b", HALF],
] as const;

describe.each(engines)("text that the queue can't hold, on $name", ({ open }) => {
  let queue: TestDatabase;
  let app: TestApp;
  let server: InngestLocal;

  beforeAll(async () => {
    queue = await open();
    app = await openTestApp();
    server = await startInngestLocal({
      database: queue.database,
      keys: "none",
      port: 0,
      appUrls: [app.url],
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
    const client = testClient("texts", server.url);
    app.serve(client, [client.createFunction({ id: "fn", triggers: [{ event: "t/other" }] }, () => 1)]);
    await server.ready();
  });
  afterAll(async () => {
    await server.stop();
    await app.close();
    await queue.close();
  });

  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${server.url}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
    return { status: response.status, body: JSON.parse(await response.text()) as unknown };
  };

  it.each(FAULTS)(
    "refuses %j in an event's name, id and version, and takes it in its data",
    async (text, fault) => {
      for (const field of ["name", "id", "v"]) {
        const event = { name: "t/a", data: {}, [field]: text };
        expect(await post("/e/test", event)).toEqual({
          status: 400,
          body: { ids: [""], status: 400, error: `event ${field} must not contain ${fault}` },
        });
      }
      const id = `taken ${JSON.stringify(text)}`;
      expect((await post("/e/test", { name: "t/a", id, data: { [text]: text } })).status).toBe(200);
      const stored = await queue.database.query<{ body: string }>("SELECT body FROM inngest_local.events");
      expect(stored.map(({ body }) => JSON.parse(body))).toContainEqual(
        expect.objectContaining({ id, data: { [text]: text } }),
      );
    },
  );

  it.each(FAULTS)("refuses %j in the id, the name and the options of a step", async (text, fault) => {
    const step = { op: "StepRun", id: "hash", name: "one", data: 1 };
    for (const [field, bad] of [
      ["id", { ...step, id: text }],
      ["name", { ...step, name: text }],
      ["displayName", { ...step, displayName: text }],
      ["opts.if", { ...step, opts: { if: text } }],
    ] as const) {
      expect(await post("/v1/checkpoint/run/async", { steps: [step, bad] })).toEqual({
        status: 400,
        body: { error: `The steps are refused: operation 2: ${field} must not contain ${fault}` },
      });
    }
    expect(await post("/v1/checkpoint/%00/async", { steps: [step] })).toMatchObject({ status: 400 });
  });

  it.each(FAULTS)("refuses %j in the id of an app, of a function and in a trigger", async (text, fault) => {
    const steps = { step: { runtime: { type: "http", url: "http://127.0.0.1:1/api/inngest" } } };
    const fn = { id: "app-fn", triggers: [{ event: "t/b" }], steps };
    const register = (appName: string, config: object) =>
      post("/fn/register", { url: "http://127.0.0.1:1/api/inngest", appName, functions: [config] });
    for (const answer of [
      await register(text, fn),
      await register("app", { ...fn, id: `app-${text}` }),
      await register("app", { ...fn, triggers: [{ event: text }] }),
    ]) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(JSON.stringify(answer.body)).toContain(`must not contain ${fault}`);
    }
  });
});
