import type { EventStore } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callAdmin } from "../testing/call-admin.ts";
import { type Frame, readFrames } from "../testing/read-frames.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

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

const isCaughtUp = ({ event, data }: Frame) => event === "progress" && data.caughtUp;
const contents = (frames: readonly Frame[]) =>
  frames.filter(({ event }) => event === "message").map(({ data }) => data.data.content);

describe.each(testEngines())("GET /api/v1/admin/events/tail (%s)", (engine) => {
  let api: TestApi;
  let store: EventStore;
  const tail = (query = "", more: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(`${api.url}/api/v1/admin/events/tail${query}`, {
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
    for (const { id, data } of frames) expect(id).toBe(String(data.position));
    expect(frames[0]?.data).toEqual(await store.getById(frames[0]?.data.id));
  });

  it("sends only new events as they are stored", async () => {
    const response = await tail();
    const frames = readFrames(response);
    expect((await frames.next()).value).toMatchObject({ event: "progress", data: { caughtUp: true } });
    await store.append(note("live"));
    expect((await frames.next()).value).toMatchObject({ data: { data: { content: "live" } } });
    await frames.return();
  });

  it("goes on after the last event that the client has seen", async () => {
    const all = await framesUntil(await tail("?from=start"), isCaughtUp);
    const second = all[1]?.id ?? "";
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

  it("refuses a beginning that is none", async () => {
    for (const [query, more] of [
      ["?from=yesterday", {}],
      ["?from=99999999999999999", {}],
      ["?aggregateId=alone", {}],
      ["", { "last-event-id": "x" }],
    ] as const) {
      const answer = await callAdmin(api.url, `/events/tail${query}`, { headers: more });
      expect([answer.status, answer.body.code]).toEqual([400, "parameter-invalid"]);
    }
  });

  it.each([
    ["type=note.creation.requestd", '"note.creation.requested"'],
    ["aggregateType=ntoe", '"note"'],
  ])("refuses ?%s, for which it would wait without end", async (query, meant) => {
    const { status, body } = await callAdmin(api.url, `/events/tail?${query}`);
    expect([status, body.code, body.detail]).toEqual([400, "filter-unknown", expect.stringContaining(meant)]);
  });

  it("answers HEAD and leaves nothing behind", async () => {
    const response = await fetch(`${api.url}/api/v1/admin/events/tail`, { method: "HEAD", headers });
    expect(response.status).toBe(200);
  });

  it("ends in order when the API closes, at once", async () => {
    const other = await startTestApi({}, engine);
    const response = await fetch(`${other.url}/api/v1/admin/events/tail`, { headers });
    const closed = other.close();
    const text = await response.text();
    await closed;
    // It ends before the next comment, with which it would find the connection closed.
    expect(text).toContain("retry: 1000\n\n");
    expect(text).not.toContain(": nothing new");
    await other.stop();
  });
});
