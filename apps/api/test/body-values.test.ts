import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

const MAX_VALUES = 100_000;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ maxBodyValues: MAX_VALUES });
});
afterAll(() => api.stop());

const JSON_TYPE = "application/json";

async function send(path: string, body: string, type = JSON_TYPE) {
  const headers = { "content-type": type, authorization: `Bearer ${TOKEN}` };
  return readResponse(await fetch(`${api.url}${path}`, { method: "POST", body, headers }));
}

const fields = (count: number) => Array.from({ length: count }, (_, index) => `"k${index}":1`).join(",");
const event = (count: number) => `{"type":"note.creation.requested","data":{"content":"x",${fields(count)}}}`;

interface Heavy {
  /** The place of the values in the event. */
  readonly name: string;
  readonly path: string;
  /** A body of so many values, about. */
  readonly body: (count: number) => string;
  readonly type?: string;
}

const bodies: readonly Heavy[] = [
  { name: "an event", path: "/api/v1/events", body: event },
  {
    name: "a field given twice",
    path: "/api/v1/events",
    body: (count) => `{"data":{${fields(count)},"k0":1}}`,
  },
  {
    name: "fields of an event",
    path: "/api/v1/events",
    body: (count) => `{"type":"note.creation.requested","data":{},${fields(count)}}`,
  },
  { name: "a batch", path: "/api/v1/events/batch", body: (count) => `{"events":[${event(count)}]}` },
  {
    name: "lines",
    path: "/api/v1/events/batch",
    body: (count) => Array.from({ length: 100 }, () => event(count / 100)).join("\n"),
    type: "application/x-ndjson",
  },
  {
    name: "an append",
    path: "/api/v1/streams/note/one/events",
    body: (count) => `{"events":[${event(count)}]}`,
  },
  {
    name: "a command",
    path: "/api/v1/reservations/one/create",
    body: (count) => `{"data":{${fields(count)}}}`,
  },
  {
    name: "an admin's body",
    path: "/api/v1/admin/dead-letters/retry",
    body: (count) => `{${fields(count)}}`,
  },
];

describe("the values of a body", () => {
  it.each(bodies)("are counted before anything is made of them: $name", async ({ path, body, type }) => {
    expect(await send(path, body(MAX_VALUES), type)).toMatchObject({
      status: 413,
      body: {
        code: "too-many-values",
        limit: MAX_VALUES,
        detail: expect.stringMatching(/at most 100000 values/),
      },
    });
    const { status, body: problem } = await send(path, body(1_000), type);
    expect(status).toBeLessThan(500);
    expect(problem.code).not.toBe("too-many-values");
  });

  it("may reach the limit, and not exceed it", async () => {
    const ids = (count: number) => `[${Array.from({ length: count }, () => "1").join(",")}]`;
    // The list and its items; the rest of the event is 5 values, its own object among them.
    const body = (items: number) =>
      `[{"type":"note.creation.requested","data":{"content":"x"},"metadata":{"a":${ids(40_000)}}},` +
      `{"type":"note.creation.requested","data":{"content":"x"},"metadata":{"a":${ids(items)}}}]`;
    const around = 1 + 2 * 6 + 40_000;
    expect(await send("/api/v1/events/batch", body(MAX_VALUES - around - 11_000))).toMatchObject({
      status: 202,
    });
    const full = await send("/api/v1/events/batch", body(MAX_VALUES - around));
    // The second event alone holds more than an event may; the first is taken.
    expect(full).toMatchObject({
      status: 202,
      body: { results: [{ status: "accepted" }, { status: "rejected" }] },
    });
    expect(await send("/api/v1/events/batch", body(MAX_VALUES - around + 1))).toMatchObject({ status: 413 });
  });

  it("beyond the limit block the process for less time than parsing them", async () => {
    for (const { name, path, body, type } of bodies) {
      const heavy = body(390_000);
      const parsing = await shortestStall(async () => {
        for (const line of heavy.split("\n")) JSON.parse(line);
      });
      const stall = await shortestStall(() => send(path, heavy, type));
      // Lines are parsed one by one until there are too many values: about a quarter of them here.
      expect(stall / parsing, name).toBeLessThan(type === undefined ? 1 : 3);
    }
  });
});

/** Lets the timer that measures the delay run. */
const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** The longest time for which the event loop stood still, in the best of three tries: others use the machine too. */
async function shortestStall(action: () => Promise<unknown>): Promise<number> {
  const stalls: number[] = [];
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    await nextTurn();
    await action();
    await nextTurn();
    delay.disable();
    stalls.push(delay.max);
  }
  return Math.min(...stalls);
}
