import { createSynapEvent } from "@synap/types";
import { parseList, serializeList } from "structured-headers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const clock = { now: 0 };
let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ rateLimits: { requests: 6, events: 20 } }, "embedded", {
    clock: () => clock.now,
  });
});
afterAll(() => api.stop());

const isWholeNumber = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;

let principals = 0;
/** A user that has sent nothing so far. */
async function newcomer() {
  principals += 1;
  const id = `user-${principals}`;
  const keys = [await createTestKey(api.database, "user", id), await createTestKey(api.database, "user", id)];
  return async (path: string, body?: unknown, key = 0) => {
    const response = await fetch(`${api.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${keys[key]}`, "content-type": "application/json" },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
    const { headers, status } = response;
    return {
      status,
      body: JSON.parse(await response.text()),
      limits: headers.get("ratelimit"),
      policy: headers.get("ratelimit-policy"),
      retryAfter: headers.get("retry-after"),
    };
  };
}

const note = (aggregateId = "limits") =>
  createSynapEvent({ type: "note.creation.requested", aggregateId, data: { content: "x" } });
const notes = (count: number) =>
  Array.from({ length: count }, () => {
    const { createdBy: _, ...event } = note();
    return event;
  });

describe("the limits of a principal", () => {
  it("are in every response, and 429 when they are used up, with the time after which there is more", async () => {
    const call = await newcomer();
    const first = await call("/events/types");
    expect(first).toMatchObject({
      status: 200,
      policy: '"requests";q=6;w=60, "events";q=20;qu="events";w=60',
      limits: '"requests";r=5;t=10, "events";r=20;t=0',
    });
    expect(await call("/status")).toMatchObject({
      status: 403,
      limits: '"requests";r=4;t=20, "events";r=20;t=0',
    });
    for (let left = 4; left > 0; left -= 1) await call("/events/types", undefined, left % 2);
    expect(await call("/events/types", undefined, 1)).toMatchObject({
      status: 429,
      retryAfter: "10",
      limits: '"requests";r=0;t=60, "events";r=20;t=0',
      body: { code: "rate-limited", "violated-policies": ["requests"] },
    });
    clock.now += 10_000;
    expect([(await call("/events/types")).status, (await call("/events/types")).status]).toEqual([200, 429]);
  });

  it("are structured fields with the parameters of the draft, in answers of every kind", async () => {
    const call = await newcomer();
    const answers = [await call("/events/types"), await call("/status"), await call("/events", {})];
    for (let sent = 0; sent < 4; sent += 1) answers.push(await call("/events/types"));
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 422, 200, 200, 200, 429]);
    for (const { policy, limits } of answers) {
      const policies = parseList(policy ?? "");
      const units = policies.map(([name, parameters]) => [name, Object.fromEntries(parameters)]);
      expect(units).toEqual([
        ["requests", { q: 6, w: 60 }],
        ["events", { q: 20, qu: "events", w: 60 }],
      ]);
      const left = parseList(limits ?? "");
      expect(left.map(([name]) => name)).toEqual(policies.map(([name]) => name));
      for (const [, parameters] of left) {
        expect([...parameters.keys()]).toEqual(["r", "t"]);
        for (const value of parameters.values()) expect(value).toSatisfy(isWholeNumber);
      }
      // What is sent is the canonical form.
      expect([serializeList(policies), serializeList(left)]).toEqual([policy, limits]);
    }
  });

  it("are its own", async () => {
    const [one, other] = [await newcomer(), await newcomer()];
    for (let sent = 0; sent < 7; sent += 1) await one("/events/types");
    expect([(await one("/events/types")).status, (await other("/events/types")).status]).toEqual([429, 200]);
  });

  it("count each event of a batch, and nothing of a refused request is accepted", async () => {
    const call = await newcomer();
    expect(await call("/events/batch", notes(15))).toMatchObject({
      status: 202,
      limits: '"requests";r=5;t=10, "events";r=5;t=45',
    });
    // More than is left, but a batch is never cut.
    expect((await call("/events/batch", notes(10))).status).toBe(202);
    const sent = api.broker.received.length;
    const [event] = notes(1);
    for (const [path, body] of [
      ["/events", event],
      ["/events/batch", [event]],
      [
        "/streams/note/limits/events",
        { events: [{ type: "note.creation.requested", data: { content: "x" } }] },
      ],
    ] as const) {
      expect(await call(path, body)).toMatchObject({
        status: 429,
        retryAfter: "18",
        body: { "violated-policies": ["events"] },
      });
    }
    expect(api.broker.received).toHaveLength(sent);
  });

  it("count what is refused for its content too: one event, an append, a command", async () => {
    const call = await newcomer();
    const unknown = { type: "note.creation.unknown", data: {} };
    const foreign = { type: "note.creation.requested", createdBy: "user:other", data: { content: "x" } };
    const stay = { guestId: "g", startDate: "2031-01-01" };
    const attempts: readonly (readonly [path: string, body: object, left: number])[] = [
      ["/events", unknown, 19],
      ["/streams/note/refused/events", { events: [foreign, foreign] }, 17],
      ["/reservations/refused/create", { createdBy: "user:other", data: stay }, 16],
    ];
    for (const [path, body, left] of attempts) {
      const { status, limits } = await call(path, body);
      expect([path, status >= 400 && status < 500, limits]).toEqual([
        path,
        true,
        expect.stringContaining(`"events";r=${left};`),
      ]);
    }
  });

  it("are nobody's where there are none, and no response names them", async () => {
    const free = await startTestApi();
    try {
      const response = await fetch(`${free.url}/api/v1/events/types`);
      expect([response.status, response.headers.get("ratelimit")]).toEqual([200, null]);
    } finally {
      await free.stop();
    }
  });
});
