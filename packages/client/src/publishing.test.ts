import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  broken,
  problem,
  type ScriptedApi,
  type ScriptedResponse,
  type SeenRequest,
  startScriptedApi,
} from "../test/scripted-api.ts";
import { createSynapClient } from "./index.ts";

let api: ScriptedApi | undefined;
afterEach(async () => {
  await api?.stop();
  api = undefined;
});

async function clientOf(answer: (request: SeenRequest) => ScriptedResponse, coalescing = {}) {
  api = await startScriptedApi(answer);
  const retry = { firstMs: 1, maxMs: 1, attempts: 5 };
  return createSynapClient({ url: api.url, retry, coalescing });
}
const eventsOf = ({ url, body }: SeenRequest): { id: string }[] =>
  url.endsWith("/batch") ? body.events : [body];
/** Answers like an API that accepts everything. */
const take = (request: SeenRequest): ScriptedResponse => {
  const results = eventsOf(request).map(({ id }, index) => ({ status: "accepted", id, index }));
  return { status: 202, body: request.url.endsWith("/batch") ? { results } : results[0] };
};
const note = (n: number) => ({ type: "note.created", data: { n } });

describe("events published at the same time", () => {
  it("travel together, after the first, which waits for nobody", async () => {
    const client = await clientOf(take);
    const all = await Promise.all(Array.from({ length: 50 }, (_, n) => client.publish(note(n))));
    expect(new Set(all.map(({ id }) => id)).size).toBe(50);
    expect(api?.requests.map((request) => eventsOf(request).length)).toEqual([1, 49]);
  });

  it("are cut by number and by size", async () => {
    const client = await clientOf(take, { maxEvents: 10, maxBytes: 1_000 });
    await Promise.all(Array.from({ length: 25 }, (_, n) => client.publish(note(n))));
    const large = { type: "note.created", data: { text: "x".repeat(800) } };
    await Promise.all([1, 2, 3].map(() => client.publish(large)));
    expect(api?.requests.map((request) => eventsOf(request).length)).toEqual([1, 10, 10, 4, 1, 1, 1]);
  });

  it("are each answered their own: one that is refused costs no other", async () => {
    const client = await clientOf((request) => {
      const results = eventsOf(request).map(({ id }, index) =>
        index === 1
          ? { status: "rejected", index, path: "data.n", code: "invalid", reason: "is odd", issues: [] }
          : { status: "accepted", id, index },
      );
      return { status: 202, body: request.url.endsWith("/batch") ? { results } : results[0] };
    });
    const settled = await Promise.allSettled([0, 1, 2, 3].map((n) => client.publish(note(n))));
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(settled[2]).toMatchObject({
      reason: { code: "event-invalid", message: expect.stringContaining("is odd") },
    });
  });

  it("are given up one by one: a signal ends its own event's waiting alone", async () => {
    const client = await clientOf(take);
    const stop = new AbortController();
    const first = client.publish(note(0));
    const given = client.publish(note(1), { signal: stop.signal });
    const other = client.publish(note(2));
    stop.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    await expect(Promise.all([first, other])).resolves.toHaveLength(2);
  });
});

describe("a batch", () => {
  it("has one result for each event in order, whatever became of each, and sends no settled one again", async () => {
    const outcomes = fc.constantFrom("accepted", "duplicate", "rejected", "unavailable", "broken");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(outcomes, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 }),
        async (plans) => {
          // Each event has a list of outcomes; what is not settled by its list is accepted.
          const seen = new Map<number, number>();
          const final = new Map<number, string>();
          const client = await clientOf(
            (request) => {
              const events: { id: string; data: { n: number } }[] = request.body.events;
              if (events.some(({ data }) => plans[data.n]?.[seen.get(data.n) ?? 0] === "broken")) {
                for (const { data } of events) seen.set(data.n, (seen.get(data.n) ?? 0) + 1);
                return broken;
              }
              const results = events.map(({ id, data: { n } }, index) => {
                expect(final.has(n)).toBe(false);
                const turn = seen.get(n) ?? 0;
                seen.set(n, turn + 1);
                const outcome = plans[n]?.[turn] ?? "accepted";
                if (outcome !== "unavailable") final.set(n, outcome);
                const issue = { path: "", code: "invalid", reason: "no" };
                return outcome === "rejected"
                  ? { status: "rejected", index, ...issue, issues: [issue] }
                  : { status: outcome, id, index };
              });
              if (results.some(({ status }) => status === "unavailable")) {
                return problem(503, "broker-unavailable", { results }, { "retry-after": "0" });
              }
              if (results.every(({ status }) => status === "rejected")) {
                return problem(422, "batch-rejected", { results });
              }
              return { status: 202, body: { results } };
            },
            { maxEvents: 5 },
          );
          const results = await client.publishBatch(plans.map((_, n) => note(n)));
          expect(results.map(({ index }) => index)).toEqual(plans.map((_, n) => n));
          for (const { index, status } of results) {
            if (status !== "unavailable") expect(status).toBe(final.get(index));
            else expect(final.has(index)).toBe(false);
          }
          await api?.stop();
          api = undefined;
        },
      ),
      { numRuns: 40 },
    );
  });

  it("throws only when nothing is known of any event", async () => {
    const client = await clientOf(() => broken);
    await expect(client.publishBatch([note(1), note(2)])).rejects.toMatchObject({ code: "unreachable" });
  });

  it("names the events with unknown outcome when the API becomes unavailable in between", async () => {
    let requests = 0;
    const client = await clientOf(
      (request) => {
        requests += 1;
        return requests === 1 ? take(request) : broken;
      },
      { maxEvents: 2 },
    );
    const results = await client.publishBatch([1, 2, 3].map(note));
    expect(results.map(({ status }) => status)).toEqual(["accepted", "accepted", "unavailable"]);
  });
});

describe("events that are JSON already", () => {
  const lines = [
    '{"id":"a", "type":"note.created","data":{"n":1e400}}',
    '{"id":"b","type":"note.created","data":{"n":1.0}}',
  ];

  it("are sent as they are written, and only those again whose outcome is open", async () => {
    const bodies: string[] = [];
    const sent: typeof fetch = async (_url, init) => {
      const body = String(init?.body);
      bodies.push(body);
      const results =
        bodies.length === 1
          ? [
              { index: 0, status: "accepted", id: "a" },
              { index: 1, status: "unavailable", id: "b" },
            ]
          : [{ index: 0, status: "duplicate", id: "b", position: 7 }];
      const isOpen = bodies.length === 1;
      return new Response(
        JSON.stringify(isOpen ? problem(503, "broker-unavailable", { results }).body : { results }),
        {
          status: isOpen ? 503 : 202,
          headers: { "content-type": isOpen ? "application/problem+json" : "application/json" },
        },
      );
    };
    const retry = { firstMs: 1, maxMs: 1, attempts: 5 };
    const client = createSynapClient({ url: "http://127.0.0.1:3400", fetch: sent, retry });
    expect(await client.publishJson(lines)).toEqual([
      { index: 0, status: "accepted", id: "a" },
      { index: 1, status: "duplicate", id: "b", position: 7 },
    ]);
    expect(bodies[0]).toBe(`{"events":[${lines.join(",")}]}`);
    expect(bodies.at(-1)).toBe(`{"events":[${lines[1]}]}`);
  });

  it("fail with the last fault when the outcome of one is not known, and when a response leaves one out", async () => {
    const away = await clientOf(() => broken);
    await expect(away.publishJson(lines)).rejects.toMatchObject({ name: "SynapUnreachableError" });
    await api?.stop();
    const careless = await clientOf(() => ({ status: 202, body: { results: [{ status: "accepted" }, {}] } }));
    await expect(careless.publishJson(lines)).rejects.toMatchObject({ name: "SynapResponseError" });
  });
});
