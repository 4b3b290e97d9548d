import { randomUUID } from "node:crypto";
import { createEventStore } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import type { IEventHandler } from "@synap/handlers";
import { defaultApplication } from "@synap/synap/internal";
import { seedCatalogue } from "@synap/types";
import { thrownValues } from "@synap/types/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callAdmin } from "../testing/call-admin.ts";
import { fillReadModels } from "../testing/fill-read-models.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

/** Refuses what a business rule might. */
const strictHandler: IEventHandler = {
  name: "strict-handler",
  description: "Refuses notes that say no.",
  eventTypes: ["note.creation.requested"],
  mode: "inline",
  handle: async (events, { transaction }) => {
    for (const { data } of events) {
      const content = String(data["content"]);
      if (content === "commit") await transaction.query("COMMIT");
      if (content === "commit in disguise") {
        // A backslash then hides the end of the string from whoever reads SQL as it is usually written.
        await transaction.execute("SET LOCAL standard_conforming_strings = off");
        await transaction.execute("SELECT 'a\\'; '; COMMIT; SELECT ''");
      }
      if (content === "no") throw new Error("we do not say no here");
      if (Object.hasOwn(thrownValues, content)) throw thrownValues[content];
    }
  },
};

const note = (more: object = {}) => ({
  id: randomUUID(),
  type: "note.creation.requested",
  data: { content: "Call Acme" },
  ...more,
});

describe.each(testEngines())("streams over HTTP, on the %s engine", (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    const { handlers, projections } = defaultApplication;
    api = await startTestApi({}, engine, { handlers: [...handlers, strictHandler], projections });
    // The projection of the notes is part of appends from the end of its first pass on.
    await fillReadModels(api.database);
  });
  afterAll(() => api.stop());

  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${api.url}/api/v1/streams/${path}`, {
      method,
      headers: { ...(method === "POST" && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      etag: response.headers.get("etag"),
      link: response.headers.get("link"),
      body: text === "" ? undefined : JSON.parse(text),
    };
  };
  const append = (id: string, events: unknown[], headers: Record<string, string> = {}, more: object = {}) =>
    send("POST", `note/${id}/events`, { events, ...more }, headers);
  const streamOf = async (length: number): Promise<string> => {
    const id = randomUUID();
    if (length > 0)
      await append(
        id,
        Array.from({ length }, () => note()),
      );
    return id;
  };

  it("stores events at once and answers their versions, the stream's as the ETag", async () => {
    const id = await streamOf(0);
    const events = [note(), note()];
    const answer = await append(id, events);
    expect(answer).toMatchObject({
      status: 201,
      etag: '"2"',
      body: {
        stream: { aggregateType: "note", aggregateId: id },
        streamVersion: 2,
        events: events.map((event, index) => ({ id: event.id, streamVersion: index + 1, duplicate: false })),
      },
    });
    const read = await send("GET", `note/${id}`);
    expect(read).toMatchObject({ status: 200, etag: '"2"', body: { streamVersion: 2 } });
    expect(read.body.events).toMatchObject(events);
  });

  it("answers 200 and what it answered before when the same append is sent again", async () => {
    const id = await streamOf(0);
    const events = [note()];
    const first = await append(id, events, { "if-none-match": "*" });
    await append(id, [note()]);
    const again = await append(id, events, { "if-none-match": "*" });
    expect(first.status).toBe(201);
    expect(again).toMatchObject({ status: 200, body: { streamVersion: 1, position: first.body.position } });
    expect(again.body.events).toMatchObject([{ duplicate: true }]);
  });

  const rightly: [string, number, Record<string, string>, object][] = [
    ["If-Match with the version", 2, { "if-match": '"2"' }, {}],
    ["If-Match: *", 2, { "if-match": "*" }, {}],
    ["If-None-Match: *", 0, { "if-none-match": "*" }, {}],
    ["a version in the body", 2, {}, { expectedVersion: 2 }],
    ["a name in the body", 0, {}, { expectedVersion: "no-stream" }],
  ];
  it.each(rightly)("takes %s", async (_name, length, headers, more) => {
    const answer = await append(await streamOf(length), [note()], headers, more);
    expect(answer).toMatchObject({ status: 201, etag: `"${length + 1}"` });
  });

  const wrongly: [string, number, Record<string, string>, object][] = [
    ["If-Match with another version", 2, { "if-match": '"1"' }, {}],
    ["If-Match: * where nothing is", 0, { "if-match": "*" }, {}],
    ["If-None-Match: * where something is", 2, { "if-none-match": "*" }, {}],
    ["another version in the body", 2, {}, { expectedVersion: 3 }],
  ];
  it.each(wrongly)("refuses %s with 409 and the current version", async (_name, length, headers, more) => {
    const id = await streamOf(length);
    const answer = await append(id, [note()], headers, more);
    expect(answer).toMatchObject({
      status: 409,
      etag: `"${length}"`,
      body: { code: "optimistic-lock", actualVersion: length },
    });
    expect((await send("GET", `note/${id}`)).body.streamVersion).toBe(length === 0 ? undefined : length);
  });

  const nonsense: [string, Record<string, string>, object][] = [
    ["a weak tag", { "if-match": 'W/"2"' }, {}],
    ["a list of tags", { "if-match": '"1", "2"' }, {}],
    ["a tag that is no version", { "if-match": '"abc"' }, {}],
    ["If-None-Match with a tag", { "if-none-match": '"2"' }, {}],
    ["two expectations", { "if-match": '"2"' }, { expectedVersion: 2 }],
    ["a version that is none", {}, { expectedVersion: -1 }],
  ];
  it.each(nonsense)("refuses %s", async (_name, headers, more) => {
    const answer = await append(await streamOf(2), [note()], headers, more);
    expect(answer).toMatchObject({ status: 400, body: { code: "precondition-invalid" } });
  });

  it("refuses bodies that are no append, and names every fault of the events", async () => {
    const id = await streamOf(0);
    const bodies: [unknown, number, string][] = [
      [[], 400, "batch-invalid"],
      [{ events: [] }, 400, "batch-invalid"],
      [{ events: [null] }, 400, "batch-invalid"],
      [{ events: [note()], colour: 1 }, 400, "batch-invalid"],
      ["{", 400, "malformed-json"],
      [{ events: Array.from({ length: 1025 }, () => note()) }, 413, "batch-too-large"],
      [{ events: [note({ colour: 1 })] }, 422, "event-invalid"],
      [{ events: [note({ aggregateId: "another" })] }, 422, "event-invalid"],
      [{ events: [note({ type: "note.unheard.of" })] }, 422, "unknown-event-type"],
      [{ events: [note({ timestamp: "1999-01-01T00:00:00Z" })] }, 422, "timestamp-too-old"],
    ];
    for (const [body, status, code] of bodies) {
      expect(await send("POST", `note/${id}/events`, body)).toMatchObject({ status, body: { code } });
    }
    const faults = await append(id, [note(), note({ data: { content: 7 } })]);
    expect(faults.body.errors).toMatchObject([{ path: "events[1].data.content" }]);
    expect((await send("GET", `note/${id}`)).status).toBe(404);
  });

  it("accepts old events with the scope backfill, as the publishing routes do", async () => {
    const path = `note/${await streamOf(0)}/events?backfill=true`;
    const body = { events: [note({ timestamp: "1999-01-01T00:00:00Z" })] };
    expect((await send("POST", path, body)).status).toBe(403);
    const answer = await send("POST", path, body, { authorization: `Bearer ${TOKEN}` });
    expect(answer.status).toBe(201);
  });

  it("refuses an id that is taken by another event", async () => {
    const event = note();
    await append(await streamOf(0), [event]);
    const answer = await append(await streamOf(0), [event]);
    expect(answer).toMatchObject({ status: 409, body: { code: "event-id-conflict", id: event.id } });
  });

  it("runs the inline handlers in the command's transaction, and stores nothing when one refuses", async () => {
    const id = await streamOf(0);
    const refused = await append(id, [note(), note({ data: { content: "no" } })]);
    expect(refused).toMatchObject({
      status: 422,
      body: { code: "handler-refused", handler: "strict-handler" },
    });
    expect((await send("GET", `note/${id}`)).status).toBe(404);

    const completed = note({ type: "note.creation.completed", userId: "ada" });
    await append(id, [completed]);
    const rows = await api.database.query("SELECT content FROM synap_read.notes WHERE id = $1", [id]);
    expect(rows).toEqual([{ content: "Call Acme" }]);
    const { body } = await callAdmin(api.url, "/status");
    expect(body.handlers).toContainEqual({
      name: expect.stringMatching(/^notes\/\d+$/),
      mode: "inline",
      description: expect.any(String),
      deadLetters: 0,
      parkedEvents: 0,
    });
  });

  it("answers 422 when an inline handler ends the transaction, and 500 when it does so in disguise", async () => {
    const plain = await streamOf(0);
    expect(await append(plain, [note({ data: { content: "commit" } })])).toMatchObject({
      status: 422,
      body: { code: "handler-refused", handler: "strict-handler", detail: expect.stringContaining("COMMIT") },
    });
    expect((await send("GET", `note/${plain}`)).status).toBe(404);

    const disguised = await streamOf(0);
    const event = note({ data: { content: "commit in disguise" } });
    expect(await append(disguised, [event])).toMatchObject({
      status: 500,
      body: { code: "transaction-ended", handler: "strict-handler" },
    });
    // The outcome is as unknown as the response says: the event is there or is not, and a second attempt does not double it.
    await append(disguised, [event]);
    const stored = await send("GET", `note/${disguised}`);
    expect(stored.status === 404 || stored.body.events.length === 1).toBe(true);
  });

  it.each(Object.keys(thrownValues))("answers 422 when an inline handler throws %s", async (content) => {
    const id = await streamOf(0);
    expect(await append(id, [note({ data: { content } })])).toMatchObject({
      status: 422,
      body: { code: "handler-refused", handler: "strict-handler", detail: expect.any(String) },
    });
    expect((await send("GET", `note/${id}`)).status).toBe(404);
  });

  it("reads pages by version, either way, each leading to the next", async () => {
    const id = await streamOf(7);
    const versions = async (query: string): Promise<number[]> => {
      const all: number[] = [];
      for (let path: string | undefined = `note/${id}?${query}`; path !== undefined; ) {
        const { body, link } = await send("GET", path);
        all.push(...body.events.map((event: { streamVersion: number }) => event.streamVersion));
        path = link?.match(/streams\/([^>]+)>/)?.[1];
      }
      return all;
    };
    expect(await versions("limit=3")).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await versions("limit=3&direction=backwards")).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(await versions("limit=2&fromVersion=2&toVersion=4")).toEqual([2, 3, 4]);
    expect(await versions("limit=2&fromVersion=2&toVersion=4&direction=backwards")).toEqual([4, 3, 2]);
    expect(await versions("fromVersion=8")).toEqual([]);
    for (const wrong of ["limit=0", "limit=1001", "fromVersion=-1", "direction=up", "colour=red"]) {
      expect((await send("GET", `note/${id}?${wrong}`)).status).toBe(400);
    }
    expect(await send("GET", `note/${randomUUID()}`)).toMatchObject({
      status: 404,
      body: { code: "stream-not-found" },
    });
    expect((await send("GET", `Note/${id}`)).status).toBe(400);
    for (const [method, path] of [
      ["GET", `noet/${id}`],
      ["POST", `noet/${id}/close`],
    ] as const) {
      const { status, body } = await send(method, path);
      expect([status, body.code]).toEqual([404, "stream-not-found"]);
      expect(body.detail).toContain('did you mean "note"?');
    }
  });

  it("closes a stream at the version that is expected, for good", async () => {
    const id = await streamOf(2);
    expect(await send("POST", `note/${id}/close`, undefined, { "if-match": '"1"' })).toMatchObject({
      status: 409,
      body: { code: "optimistic-lock", actualVersion: 2 },
    });
    const closed = await send("POST", `note/${id}/close`, undefined, { "if-match": '"2"' });
    expect(closed).toMatchObject({
      status: 200,
      etag: '"2"',
      body: { streamVersion: 2, closedAt: expect.stringMatching(/Z$/) },
    });
    expect((await send("POST", `note/${id}/close`)).body).toEqual(closed.body);
    expect(await append(id, [note()])).toMatchObject({ status: 409, body: { code: "stream-closed" } });
    expect((await send("POST", `note/${randomUUID()}/close`)).body.code).toBe("stream-not-found");
    expect((await send("GET", `note/${id}`)).body).toMatchObject({ closedAt: closed.body.closedAt });
  });

  it("keeps names with any characters apart", async () => {
    const id = "a/b ü?&#%";
    await append(encodeURIComponent(id), [note()]);
    const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
    expect(await store.getStream({ aggregateType: "note", aggregateId: id })).toEqual({ streamVersion: 1 });
    expect((await send("GET", `note/${encodeURIComponent(id)}`)).body.streamVersion).toBe(1);
  });
});
