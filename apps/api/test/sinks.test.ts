import { defineSink, type Sink } from "@synap/handlers";
import { EventDispatcher } from "@synap/handlers/internal";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callAdmin } from "../testing/call-admin.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

const note = (content: string) => createSynapEvent({ type: "note.creation.completed", data: { content } });

describe("the routes of sinks", () => {
  let api: TestApi;
  let worker: EventDispatcher;
  let isDown = false;
  const got: string[] = [];
  const sink: Sink = defineSink({
    name: "outside",
    description: "Takes what the notes say.",
    eventTypes: ["note.creation.completed"],
    promise: {
      destination: "memory",
      ordered: true,
      transactional: false,
      idempotent: true,
      guarantee: "idempotent",
      keepsCheckpoint: false,
    },
    open: async () => ({
      checkpoint: async () => undefined,
      apply: async (events) => {
        if (isDown) throw new Error("It is down.");
        got.push(...events.map(({ data }) => String(data["content"])));
        return events.map(() => ({ status: "applied" }));
      },
      close: async () => {},
    }),
  });

  const append = (content: string) => worker.store.append(note(content));
  const shown = async () => (await callAdmin(api.url, "/sinks/outside")).body;
  const post = (change: string, headers = {}) =>
    callAdmin(api.url, `/sinks/outside/${change}`, { method: "POST", headers });

  beforeAll(async () => {
    api = await startTestApi({}, "embedded", { sinks: [sink] });
    worker = new EventDispatcher({ database: api.database, catalogue: seedCatalogue, sinks: [sink] });
  });
  afterAll(async () => {
    await worker.stopSinks();
    await api.stop();
  });

  it("show each with its guarantee, its state and what it is behind", async () => {
    await append("one");
    expect(await shown()).toMatchObject({
      name: "outside",
      destination: "memory",
      guarantee: "idempotent",
      state: "stopped",
      checkpoint: 0,
      lagEvents: 1,
      lagSeconds: expect.any(Number),
    });
    expect((await shown()).lagSeconds).toBeGreaterThan(0);
    await worker.catchUp("outside");
    expect(await shown()).toMatchObject({ state: "running", lagEvents: 0, lagSeconds: 0 });
    const { status, body } = await callAdmin(api.url, "/sinks");
    expect([status, body]).toEqual([200, { sinks: [await shown()] }]);
  });

  it("show why one waits, until it goes on", async () => {
    isDown = true;
    await append("two");
    const failure = await worker.catchUp("outside").catch((error: unknown) => error);
    await worker.recordPassFailure(failure as Parameters<EventDispatcher["recordPassFailure"]>[0], 1_000);
    expect(await shown()).toMatchObject({ state: "waiting", failure: "It is down.", lagEvents: 1 });
    isDown = false;
    await worker.catchUp("outside");
    expect(await shown()).toMatchObject({ state: "running", lagEvents: 0 });
    expect(await shown()).not.toHaveProperty("failure");
  });

  it("pause one in somebody's name, which then makes no call, and resume it where it was", async () => {
    const before = [...got];
    const paused = await post("pause", { "x-synap-actor": "Ada" });
    expect([paused.status, paused.body]).toMatchObject([200, { state: "paused", changedBy: "Ada" }]);
    expect((await post("pause", { "x-synap-actor": "Grace" })).body).toEqual({
      ...paused.body,
      changedBy: "Ada",
    });
    await append("three");
    expect(await worker.catchUp("outside")).toEqual({ status: "busy" });
    expect(got).toEqual(before);
    expect(await shown()).toMatchObject({ state: "paused", lagEvents: 1 });
    expect((await post("resume")).body).toMatchObject({ state: "running", changedBy: expect.any(String) });
    expect((await post("resume")).status).toBe(200);
    await worker.catchUp("outside");
    expect(got).toEqual([...before, "three"]);
  });

  it("refuse a name that no sink has", async () => {
    for (const [path, options] of [
      ["/sinks/outsid", {}],
      ["/sinks/outsid/pause", { method: "POST" }],
    ] as const) {
      const { status, body } = await callAdmin(api.url, path, options);
      expect([status, body.code]).toEqual([404, "sink-not-found"]);
      expect(body.detail).toContain('did you mean "outside"?');
    }
    expect((await callAdmin(api.url, "/sinks/No%20such")).body.code).toBe("parameter-invalid");
  });
});
