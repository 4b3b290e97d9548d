import type { EventStore } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Frame, readFrames } from "../testing/read-frames.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

let api: TestApi;
const headers = { authorization: `Bearer ${TOKEN}` };
const note = (content: string, aggregateId = "tail") =>
  createSynapEvent({ type: "note.creation.requested", aggregateId, data: { content } });

/** The frames up to the first that fits, and then the client hangs up. */
async function framesUntil(response: Response, isLast: (frame: Frame) => boolean): Promise<Frame[]> {
  const seen: Frame[] = [];
  for await (const frame of readFrames(response)) {
    seen.push(frame);
    if (isLast(frame)) break;
  }
  return seen;
}

async function refused(query: string, more: Record<string, string> = {}) {
  const response = await fetch(`${api.url}/api/v1/events/stream${query}`, {
    headers: { ...headers, ...more },
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const isCaughtUp = ({ event, data }: Frame) => event === "progress" && data.caughtUp;
const contents = (frames: readonly Frame[]) =>
  frames.filter(({ event }) => event === "message").map(({ data }) => data.event.data.content);

describe.each(testEngines())("GET /api/v1/events/stream (%s)", (engine) => {
  let store: EventStore;
  const tail = (query = "", more: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(`${api.url}/api/v1/events/stream${query}`, {
      headers: { ...headers, ...more },
      ...(signal !== undefined && { signal }),
    });

  beforeAll(async () => {
    api = await startTestApi({}, engine);
    store = createEventStore({ database: api.database, catalogue: seedCatalogue });
    await store.appendBatch([note("one"), note("two"), note("other", "elsewhere"), note("three")]);
  });
  afterAll(() => api.stop());

  it("sends complete stored events in order, and reports when it has caught up", async () => {
    const response = await tail("?from=start");
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const frames = await framesUntil(response, isCaughtUp);
    expect(contents(frames)).toEqual(["one", "two", "other", "three"]);
    for (const { id, data } of frames) expect(id).toBe(String(data.position ?? data.event.position));
    expect(frames[1]?.data.event).toEqual(await store.getById(frames[1]?.data.event.id));
  });

  it("sends only new events as they are stored", async () => {
    const response = await tail();
    const frames = readFrames(response);
    const { value: begin } = await frames.next();
    expect(begin).toMatchObject({ event: "progress", data: { number: 0, caughtUp: false } });
    expect((await frames.next()).value).toMatchObject({ event: "progress", data: { caughtUp: true } });
    await store.append(note("live"));
    const live = { after: begin?.data.position, number: 1, event: { data: { content: "live" } } };
    expect((await frames.next()).value).toMatchObject({ data: live });
    await frames.return();
  });

  it("goes on after the last event that the client has seen", async () => {
    const all = await framesUntil(await tail("?from=start"), isCaughtUp);
    const second = all[2]?.id ?? "";
    for (const response of [
      await tail(`?from=${second}`),
      await tail("?from=now", { "last-event-id": second }),
    ]) {
      const rest = contents(await framesUntil(response, isCaughtUp));
      expect(rest).toEqual(contents(all).slice(2));
    }
  });

  it("sends only events of the requested types or stream", async () => {
    const of = async (query: string) => contents(await framesUntil(await tail(query), isCaughtUp));
    expect(await of("?from=start&aggregateType=note&aggregateId=elsewhere")).toEqual(["other"]);
    expect(await of("?from=start&type=task.created")).toEqual([]);
    expect((await of("?from=start&type=note.creation.requested&type=task.created")).length).toBeGreaterThan(
      3,
    );
  });

  it("sends only events of a user, a creator, a source, a flow and a cause", async () => {
    const [cause, ...others] = [
      note("caused by nothing"),
      { ...note("of ann"), userId: "ann" },
      { ...note("of an agent"), createdBy: "agent:planner" },
      { ...note("from elsewhere"), source: "elsewhere" },
      { ...note("of a flow"), correlationId: "flow" },
    ];
    await store.appendBatch([cause, ...others, { ...note("caused"), causationId: cause.id }]);
    const of = async (query: string) =>
      contents(await framesUntil(await tail(`?from=start&${query}`), isCaughtUp));
    expect(await of("userId=ann")).toEqual(["of ann"]);
    expect(await of("createdBy=agent:planner")).toEqual(["of an agent"]);
    expect(await of("source=elsewhere")).toEqual(["from elsewhere"]);
    expect(await of("correlationId=flow")).toEqual(["of a flow"]);
    expect(await of(`causationId=${cause.id.toUpperCase()}`)).toEqual(["caused"]);
    expect(await of("userId=ann&source=elsewhere")).toEqual([]);
  });

  it("refuses a beginning that is none", async () => {
    for (const [query, more] of [
      ["?from=yesterday", {}],
      ["?from=99999999999999999", {}],
      ["?aggregateId=alone", {}],
      ["?causationId=alone", {}],
      ["", { "last-event-id": "x" }],
    ] as const) {
      const { status, body } = await refused(query, more);
      expect([status, body.code]).toEqual([400, "parameter-invalid"]);
    }
  });

  it.each([
    ["type=note.creation.requestd", '"note.creation.requested"'],
    ["aggregateType=ntoe", '"note"'],
  ])("refuses ?%s, for which it would wait without end", async (query, meant) => {
    const { status, body } = await refused(`?${query}`);
    expect([status, body.code, body.detail]).toEqual([400, "filter-unknown", expect.stringContaining(meant)]);
  });

  it("answers HEAD and leaves nothing behind", async () => {
    const response = await fetch(`${api.url}/api/v1/events/stream`, { method: "HEAD", headers });
    expect(response.status).toBe(200);
  });

  it("ends in order when the API closes, at once", async () => {
    const other = await startTestApi({}, engine);
    const response = await fetch(`${other.url}/api/v1/events/stream`, { headers });
    const closed = other.close();
    const text = await response.text();
    await closed;
    // It ends before the next comment, with which it would find the connection closed.
    expect(text).toContain("retry: 1000\n\n");
    expect(text).not.toContain(": nothing new");
    await other.stop();
  });
});
