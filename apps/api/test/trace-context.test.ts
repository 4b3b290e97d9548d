import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const trace = { traceparent, tracestate: "rojo=00f067aa0ba902b7" };
const note = (metadata?: object) => ({
  type: "note.creation.requested",
  data: { content: "traced" },
  ...(metadata !== undefined && { metadata }),
});

async function post(path: string, body: unknown, headers: Record<string, string>, type = "application/json") {
  const response = await fetch(`${api.url}/api/v1${path}`, {
    method: "POST",
    headers: { "content-type": type, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

/** The metadata of the last events that reached the broker. */
const published = (count: number) =>
  api.broker.received
    .flatMap(({ events }) => events)
    .slice(-count)
    .map(({ metadata }) => metadata);

async function eventsOf(aggregateType: string): Promise<unknown> {
  const response = await fetch(`${api.url}/api/v1/streams/${aggregateType}/traced`);
  return JSON.parse(await response.text()).events;
}

describe("the trace of a request", () => {
  it("is in the metadata of an event that is published", async () => {
    expect((await post("/events", note({ ip: "::1" }), trace)).status).toBe(202);
    expect(published(1)).toEqual([{ ip: "::1", ...trace }]);
  });

  it("is in that of every event of a batch that has none of its own", async () => {
    const own = { traceparent: "00-11111111111111111111111111111111-2222222222222222-00" };
    const events = [note(), note(own)];
    const lines = events.map((event) => JSON.stringify(event)).join("\n");
    await post("/events/batch", { events }, trace);
    await post("/events/batch", lines, trace, "application/x-ndjson");
    expect(published(4)).toEqual([trace, own, trace, own]);
  });

  it("is in that of appended events", async () => {
    const { status } = await post(
      "/streams/note/traced/events",
      { events: [note(), note({ ip: "::1" })] },
      trace,
    );
    expect(status).toBe(201);
    expect(await eventsOf("note")).toMatchObject([
      { metadata: trace },
      { metadata: { ip: "::1", ...trace } },
    ]);
  });

  it("is in that of a command's events", async () => {
    const body = { data: { guestId: "guest-1", startDate: "2026-06-01", endDate: "2026-06-04" } };
    expect((await post("/reservations/traced/create", body, trace)).status).toBe(201);
    expect(await eventsOf("reservation")).toMatchObject([{ metadata: trace }]);
  });

  it("is ignored if it is malformed", async () => {
    for (const malformed of ["nonsense", "00-00000000000000000000000000000000-b7ad6b7169203331-01"]) {
      expect((await post("/events", note(), { ...trace, traceparent: malformed })).status).toBe(202);
      expect(published(1)).toEqual([undefined]);
    }
    await post("/events", note(), { traceparent, tracestate: "not a state" });
    expect(published(1)).toEqual([{ traceparent }]);
  });

  it("does not hide metadata that is no object from the check", async () => {
    expect((await post("/events", { ...note(), metadata: "text" }, trace)).text).toContain(
      '"path":"metadata"',
    );
  });
});
