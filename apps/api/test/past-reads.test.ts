import { EventEmitter, once } from "node:events";
import { createSynapClient } from "@synap/client";
import { testEngines } from "@synap/database/testing";
import { defineHandler, defineReadModel } from "@synap/handlers";
import { defaultApplication } from "@synap/synap/internal";
import { completeEvent, type EventInput, noteCreationRequested } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { callAdmin } from "../testing/call-admin.ts";
import { fillReadModels } from "../testing/fill-read-models.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const model = { description: "Something", parameters: z.strictObject({}), response: z.looseObject({}) };
const [notes] = defaultApplication.projections;
const byHandler = defineReadModel({
  ...model,
  path: "by-handler",
  writtenBy: [
    defineHandler({
      name: "writer",
      description: "Writes.",
      events: [noteCreationRequested],
      mode: "async",
      handle: async () => {},
    }),
  ],
  read: async () => ({}),
});
const readsMore = defineReadModel({
  ...model,
  path: "reads-more",
  writtenBy: notes === undefined ? [] : [notes],
  read: async ({ query }) => ({ rows: await query("SELECT n.id FROM synap_read.notes AS n, synap.events") }),
});
/** Called by the read model "waits" before it reads. */
let beforeReading: () => Promise<void> = async () => {};
const waits = defineReadModel({
  ...model,
  path: "waits",
  writtenBy: notes === undefined ? [] : [notes],
  async read({ query }) {
    await beforeReading();
    return { rows: await query("SELECT id FROM synap_read.notes ORDER BY id") };
  },
});

const note = (id: string, content: string, more: Partial<EventInput> = {}): EventInput => ({
  type: "note.creation.completed",
  aggregateId: id,
  userId: "ada",
  data: { content },
  ...more,
});
const BEFORE: readonly EventInput[] = [
  note("n1", "as it was"),
  note("n2", "of ben", { userId: "ben", createdBy: "agent:planner" }),
  note("n3", "also as it was"),
  { type: "task.created", aggregateId: "t1", data: { title: "Write", assigneeId: "ada" } },
  {
    type: "open_loop.opened",
    aggregateId: "put off",
    data: { ownerId: "ada", title: "put off", status: "waiting", score: 300 },
  },
  {
    type: "reservation.created",
    aggregateId: "r1",
    data: { guestId: "ada", startDate: "2026-06-01" },
  },
];
const AFTER: readonly EventInput[] = [
  note("n1", "as it is"),
  note("n4", "new"),
  { type: "task.completed", aggregateId: "t1", data: {} },
  { type: "open_loop.closed", aggregateId: "put off", data: { outcome: "done" } },
  { type: "reservation.cancelled", aggregateId: "r1", data: { reason: "ill" } },
];

describe.each(testEngines())("read models as of a moment (%s)", (engine) => {
  let api: TestApi;
  let then: string;
  let position: number;
  const get = async (path: string, token?: string) => {
    const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const response = await fetch(`${api.url}/api/v1${path}`, { headers });
    return {
      status: response.status,
      position: response.headers.get("x-synap-position"),
      body: JSON.parse(await response.text()),
    };
  };
  const contents = async (path: string, token?: string) => {
    const { status, body } = await get(path, token);
    expect(status, JSON.stringify(body)).toBe(200);
    return body.notes.map(({ content }: { content: string }) => content);
  };
  const newest = async () => {
    const [row] = await api.database.query<{ position: number; at: Date }>(
      `SELECT last_position AS "position", recorded_at AS at FROM synap.appends ORDER BY number DESC LIMIT 1`,
    );
    if (row === undefined) throw new Error("There is an append.");
    return row;
  };

  beforeAll(async () => {
    const { projections, readModels } = defaultApplication;
    api = await startTestApi({}, engine, {
      projections,
      readModels: [...readModels, byHandler, readsMore, waits],
    });
    await fillReadModels(api.database, BEFORE.map(completeEvent));
    const end = await newest();
    position = end.position;
    then = end.at.toISOString();
    // Times are in milliseconds, and the next event needs a later one.
    for (let last = end; last.at <= end.at; last = await newest()) {
      await fillReadModels(api.database, [
        completeEvent({ type: "note.creation.requested", data: { content: "meanwhile" } }),
      ]);
    }
    await fillReadModels(api.database, AFTER.map(completeEvent));
  });
  afterAll(() => api.stop());

  it("have the rows of then, and the position of its last event", async () => {
    const past = await get(`/notes?asOf=${then}`);
    expect(past.body.notes.map(({ content }: { content: string }) => content)).toEqual([
      "also as it was",
      "of ben",
      "as it was",
    ]);
    expect(Number(past.position)).toBeGreaterThanOrEqual(position);
    expect(await contents("/notes")).toEqual(["new", "as it is", "also as it was", "of ben"]);
    expect(await contents("/notes?asOf=1999-01-01T00:00:00Z")).toEqual([]);
    expect((await get(`/tasks?asOf=${then}`)).body.tasks).toMatchObject([{ id: "t1", assigneeId: "ada" }]);
    expect((await get("/tasks")).body.tasks).toEqual([]);
    const loops = await get(`/open-loops?owner=ada&as_of=${then}`);
    expect(loops.body.openLoops).toMatchObject([{ title: "put off" }, { title: "Write" }].reverse());
    expect(loops.body.counts).toMatchObject({ waiting: 2 });
    expect((await get(`/reservations?guest=ada&asOf=${then}`)).body.reservations).toMatchObject([
      { id: "r1", status: "CONFIRMED" },
    ]);
  });

  it("are read page by page, and by the client", async () => {
    const first = await get(`/notes?limit=2&asOf=${then}`);
    expect(first.body.notes).toHaveLength(2);
    expect(await contents(`/notes?limit=2&asOf=${then}&cursor=${first.body.nextCursor}`)).toEqual([
      "as it was",
    ]);
    const client = createSynapClient({ url: api.url });
    const read: string[] = [];
    for await (const { content } of client.readModels.notes({ userId: "ada", pageSize: 1, asOf: then })) {
      read.push(content);
    }
    expect(read).toEqual(["also as it was", "as it was"]);
  });

  it("have the audit log and the compliance figures of then", async () => {
    const ofNote = "/audit-log?subjectType=note&subjectId=n1";
    expect((await get(ofNote)).body.entries).toHaveLength(2);
    const { body, position: seen } = await get(`${ofNote}&asOf=${then}`);
    expect(body.entries).toHaveLength(1);
    const all = (await get(`/audit-log?asOf=${then}`)).body.entries;
    expect(all[0].position).toBe(Number(seen));
    const period = "from=2020-01-01&to=2999-12-31";
    const completed = async (when: string) => {
      const { statistics } = (await get(`/compliance?${period}${when}`)).body;
      return statistics.filter(
        ({ eventType }: { eventType: string }) => eventType === "note.creation.completed",
      );
    };
    expect(await completed(`&asOf=${then}`)).toMatchObject([
      { actorKind: "agent", events: 1 },
      { actorKind: "user", events: 2 },
    ]);
    expect(await completed("")).toMatchObject([
      { actorKind: "agent", events: 1 },
      { actorKind: "user", events: 4 },
    ]);
  });

  it("show a user and an agent their own rows of then, whatever they ask for", async () => {
    const ada = await createTestKey(api.database, "user", "ada");
    const planner = await createTestKey(api.database, "agent", "planner");
    expect(await contents(`/notes?asOf=${then}`, ada)).toEqual(["also as it was", "as it was"]);
    expect(await contents(`/notes?userId=ben&asOf=${then}`, ada)).toEqual([]);
    expect(await contents(`/notes?asOf=${then}`, planner)).toEqual(["of ben"]);
    expect((await get(`/audit-log?asOf=${then}`, planner)).body.entries).toMatchObject([{ subjectId: "n2" }]);
    expect((await get(`/tasks?asOf=${then}`, ada)).body.tasks).toMatchObject([{ id: "t1" }]);
    expect(await get(`/tasks?asOf=${then}`, planner)).toMatchObject({
      status: 403,
      body: { code: "rows-not-owned" },
    });
    expect(await get(`/compliance?from=2020-01-01&to=2999-12-31&asOf=${then}`, ada)).toMatchObject({
      status: 403,
      body: { code: "scope-missing", scope: "read-all" },
    });
  });

  it("are refused where nothing keeps their past: what handlers write, and what is read besides", async () => {
    for (const [path, reason] of [
      ["by-handler", '"writer" writes its rows'],
      ["reads-more", "more than the tables of its projections"],
    ]) {
      expect(await get(`/${path}?asOf=${then}`)).toMatchObject({
        status: 409,
        body: { code: "as-of-unavailable", detail: expect.stringContaining(reason ?? "") },
      });
    }
  });

  it("are refused for a moment that is still to come, but not by a clock that is a little ahead", async () => {
    for (const path of ["/notes?asOf", "/audit-log?asOf"]) {
      expect(await get(`${path}=2999-01-01T00:00:00Z`)).toMatchObject({
        status: 400,
        body: { code: "moment-in-future", errors: [{ path: "asOf" }] },
      });
    }
    const admin = await callAdmin(api.url, "/projections/notes/as-of?moment=2999-01-01T00:00:00Z");
    expect(admin).toMatchObject({
      status: 400,
      body: { code: "moment-in-future", errors: [{ path: "moment" }] },
    });
    const soon = new Date(Date.now() + 20_000).toISOString();
    expect(await contents(`/notes?asOf=${soon}`)).toEqual(await contents("/notes"));
  });

  it("are read one at a time, and another meanwhile is answered 503", async () => {
    const steps = new EventEmitter();
    const [begun, end] = [once(steps, "begun"), once(steps, "end")];
    beforeReading = async () => {
      steps.emit("begun");
      await end;
    };
    const first = get(`/waits?asOf=${then}`);
    try {
      await begun;
      const second = await fetch(`${api.url}/api/v1/notes?asOf=${then}`);
      expect([second.status, second.headers.get("retry-after")]).toEqual([503, "1"]);
      expect(await second.json()).toMatchObject({ code: "as-of-busy" });
    } finally {
      steps.emit("end");
    }
    const { status, body } = await first;
    expect([status, body.rows]).toEqual([200, [{ id: "n1" }, { id: "n2" }, { id: "n3" }]]);
    expect(await contents(`/notes?asOf=${then}`)).toHaveLength(3);
  });

  it("leave nothing behind", async () => {
    expect(await api.database.query("SELECT relname FROM pg_class WHERE relname LIKE '%asof%'")).toEqual([]);
    expect((await callAdmin(api.url, "/projections/notes")).body.builds).toHaveLength(1);
  });
});
