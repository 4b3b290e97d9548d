import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

const note = (content: string) => ({ type: "note.creation.requested", data: { content } });
/** Text that does not compress, so that two of these notes fill an envelope. */
const large = (index: number) => note(`${index} ${randomBytes(1_500).toString("base64")}`);

/** Out of reach of a machine that is slow: a test that is about it moves the clock. */
const DEADLINE_MS = 60_000;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({
    publishDeadlineMs: DEADLINE_MS,
    queueMaxEvents: 20,
    envelopeMaxBytes: 5_000,
    publishConcurrency: 2,
  });
});
afterAll(() => api.stop());
beforeEach(() => {
  api.broker.received.length = 0;
  api.broker.behaviour = "accept";
  api.broker.hold = Promise.resolve();
});

const post = async (path: string, body: unknown) =>
  readResponse(
    await fetch(`${api.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );

/** Until the test ends the deadline of the API is reached when the test says so. */
function fakeTheClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}

async function queuedEvents(): Promise<number> {
  const { publisher } = JSON.parse(await (await fetch(`${api.url}/api/v1/status`)).text());
  return publisher.queuedEvents;
}

describe("while the broker", () => {
  it.each(["refuse", "break", "hang"] as const)(
    "does this: %s, the response is 503 with Retry-After",
    async (behaviour) => {
      api.broker.behaviour = behaviour;
      fakeTheClock();
      const before = api.broker.attempts();
      const answer = post("/api/v1/events", note("lost?"));
      while (api.broker.attempts() === before) await setImmediate();
      vi.advanceTimersByTime(DEADLINE_MS);
      const { status, headers, body } = await answer;
      expect([status, body.code]).toEqual([503, "broker-unavailable"]);
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
      expect(api.broker.received).toEqual([]);
    },
  );

  it("refuses part of a batch, the response has the outcome of each event", async () => {
    let sends = 0;
    api.broker.behaviour = () => (++sends === 1 ? "accept" : "refuse");
    fakeTheClock();
    const events = [large(0), large(1), 7, large(2), large(3), large(4)];
    const answer = post("/api/v1/events/batch", events);
    // Two fit into an envelope, and one envelope is accepted and done with.
    await expect.poll(async () => api.broker.received.length === 1 && (await queuedEvents()) <= 3).toBe(true);
    vi.advanceTimersByTime(DEADLINE_MS);
    const { status, headers, body } = await answer;
    expect([status, body.code]).toEqual([503, "broker-unavailable"]);
    expect(headers.has("retry-after")).toBe(true);
    const accepted = body.results.filter((result) => result.status === "accepted").map(({ id }) => id);
    expect(accepted.length).toBeGreaterThan(0);
    expect(accepted).toEqual(api.broker.received.flatMap(({ events }) => events.map(({ id }) => id)));
    expect(body.results[2]).toMatchObject({ status: "rejected", code: "wrong-type" });
    expect(body.results.filter((result) => result.status === "unavailable")).toHaveLength(
      5 - accepted.length,
    );
  });

  it("is slow and more arrives than may wait, the rest is refused at once and everything works again afterwards", async () => {
    let release = () => {};
    api.broker.hold = new Promise((resolve) => {
      release = resolve;
    });
    const responses = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const answer = await post("/api/v1/events", large(index));
        // The broker takes nothing before the first refusal, which so has waited for nothing.
        if (answer.body.code === "publisher-full") release();
        return answer;
      }),
    );
    const counts = new Map<number, number>();
    for (const { status } of responses) counts.set(status, (counts.get(status) ?? 0) + 1);
    expect(counts.get(202)).toBeGreaterThan(0);
    expect(responses.some(({ body }) => body.code === "publisher-full")).toBe(true);
    expect(responses.every(({ status }) => status === 202 || status === 503)).toBe(true);
    const acceptedIds = responses.flatMap(({ status, body }) => (status === 202 ? [body.id] : []));
    const receivedIds = api.broker.received.flatMap(({ events }) => events.map(({ id }) => id));
    expect(receivedIds).toEqual(expect.arrayContaining(acceptedIds));
    expect((await post("/api/v1/events", note("again"))).status).toBe(202);
  });
});

describe("while the database is away", () => {
  it("events are accepted, and what needs it answers 503", async () => {
    await api.database.close();
    const { status } = await post("/api/v1/events", { ...note("kept"), idempotencyKey: "a" });
    expect(status).toBe(202);
    for (const path of ["/api/v1/events", "/api/v1/status"]) {
      const response = await fetch(`${api.url}${path}`);
      expect([path, response.status]).toEqual([path, 503]);
    }
    const ready = await fetch(`${api.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      code: "not-ready",
      detail: "The database does not answer.",
      checks: { broker: "ok", database: "database-unavailable" },
    });
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  });
});
