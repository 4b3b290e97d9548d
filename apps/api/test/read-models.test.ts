import { testEngines } from "@synap/database/testing";
import { completeEvent, type EventInput } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fillReadModels } from "../testing/fill-read-models.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const today = new Date().toISOString().slice(0, 10);
const loop = (id: string, data: object): EventInput => ({
  type: "open_loop.opened",
  aggregateId: id,
  userId: "ada",
  data: { ownerId: "ada", title: id, ...data },
});
const reservation = (id: string, guestId: string, startDate: string, resource: string): EventInput => ({
  type: "reservation.created",
  aggregateId: id,
  correlationId: "flow-1",
  data: { guestId, startDate, resource },
});
const note = (id: string, userId: string, createdBy?: string): EventInput => ({
  type: "note.creation.completed",
  aggregateId: id,
  userId,
  ...(createdBy !== undefined && { createdBy }),
  data: { content: `note ${id}`, tags: ["a"] },
});
const EVENTS: readonly EventInput[] = [
  loop("call Acme", { status: "waiting", score: 300 }),
  loop("send invoice", { status: "urgent", score: 900 }),
  loop("put off", { status: "snoozed", score: 1000 }),
  {
    type: "task.created",
    aggregateId: "t1",
    data: { title: "Write", assigneeId: "bob", dueDate: "2026-06-02" },
  },
  { type: "task.created", aggregateId: "t2", data: { title: "Read", dueDate: "2026-06-01" } },
  reservation("r1", "guest-1", "2026-06-01", "room 1"),
  reservation("r2", "guest-1", "2026-07-01", "room 2"),
  reservation("r3", "guest-2", "2026-06-03", "room 2"),
  { type: "reservation.cancelled", aggregateId: "r2", data: { reason: "ill" } },
  note("n1", "ada"),
  note("n2", "ada"),
  note("n3", "bob"),
  note("n4", "bob", "agent:planner"),
];

describe.each(testEngines())("the routes of read models (%s)", (engine) => {
  let api: TestApi;
  const get = async (path: string) => {
    const response = await fetch(`${api.url}/api/v1${path}`);
    return {
      status: response.status,
      retryAfter: response.headers.get("retry-after"),
      body: JSON.parse(await response.text()),
    };
  };
  const listed = async (path: string, list: string) => {
    const { status, body } = await get(path);
    expect(status).toBe(200);
    return body[list].map(({ id }: { id: string }) => id);
  };

  beforeAll(async () => {
    api = await startTestApi({}, engine);
  });
  afterAll(() => api.stop());

  it("say that a worker has to make a read model first", async () => {
    for (const path of ["/open-loops?owner=ada", "/tasks", "/reservations?guest=g", "/notes"]) {
      expect(await get(path)).toMatchObject({
        status: 503,
        retryAfter: "5",
        body: { code: "read-model-missing" },
      });
    }
    for (const [path, body] of [
      // Views over the log need no worker.
      [`/compliance?from=${today}&to=${today}`, { statistics: [] }],
      ["/audit-log", { entries: [] }],
    ] as const) {
      expect(await get(path)).toEqual({ status: 200, retryAfter: null, body });
    }
  });

  describe("when a worker has run", () => {
    beforeAll(async () => {
      await fillReadModels(api.database, EVENTS.map(completeEvent));
    });

    it("answer what's next, and how much else is open", async () => {
      expect(await listed("/open-loops?owner=ada", "openLoops")).toEqual([
        "open_loop/send invoice",
        "open_loop/call Acme",
      ]);
      const first = await get("/open-loops?owner=ada&limit=1");
      expect(first.body.openLoops).toMatchObject([{ title: "send invoice", status: "urgent", score: 900 }]);
      expect(first.body.counts).toEqual({ urgent: 1, waiting: 1, snoozed: 1 });
      expect((await get("/open-loops?owner=nobody")).body).toEqual({
        openLoops: [],
        counts: { urgent: 0, waiting: 0, snoozed: 0 },
      });
    });

    it("answer open tasks, of one or of all", async () => {
      expect(await listed("/tasks", "tasks")).toEqual(["t2", "t1"]);
      expect(await listed("/tasks?limit=1", "tasks")).toEqual(["t2"]);
      expect((await get("/tasks?owner=bob")).body.tasks).toMatchObject([
        { id: "t1", title: "Write", assigneeId: "bob", dueDate: "2026-06-02" },
      ]);
    });

    it("answer the reservations of a guest or of some days", async () => {
      expect((await get("/reservations?guest=guest-1")).body.reservations).toMatchObject([
        { id: "r2", status: "CANCELLED" },
        { id: "r1", status: "CONFIRMED", startDate: "2026-06-01", resource: "room 1" },
      ]);
      const days = "from=2026-06-01&to=2026-07-31";
      expect(await listed(`/reservations?${days}`, "reservations")).toEqual(["r1", "r3"]);
      expect(await listed(`/reservations?${days}&resource=room%202`, "reservations")).toEqual(["r3"]);
    });

    it("answer what some days came to", async () => {
      const { body } = await get("/compliance?from=2020-01-01&to=2999-12-31");
      expect(body.statistics).toContainEqual({
        eventType: "reservation.created",
        actorKind: "system",
        events: 3,
        withUser: 0,
        withCorrelation: 3,
      });
      expect((await get("/compliance?from=0001-01-01&to=2019-12-31")).body).toEqual({ statistics: [] });
    });

    it("answer who did what, page by page", async () => {
      const whole = (await get("/audit-log")).body;
      expect(whole.entries).toHaveLength(EVENTS.length);
      expect(whole.nextCursor).toBeUndefined();
      const first = (await get("/audit-log?limit=5")).body;
      const rest = (await get(`/audit-log?cursor=${first.nextCursor}`)).body;
      expect([...first.entries, ...rest.entries]).toEqual(whole.entries);
      const thing = (await get("/audit-log?subjectType=reservation&subjectId=r2")).body.entries;
      expect(thing.map(({ action }: { action: string }) => action)).toEqual([
        "reservation.cancelled",
        "reservation.created",
      ]);
      expect((await get("/audit-log?actor=user:bob")).body.entries).toMatchObject([{ subjectId: "n3" }]);
    });

    it("answer notes of a user, of a creator, of both and of all, page by page", async () => {
      expect(await listed("/notes", "notes")).toEqual(["n4", "n3", "n2", "n1"]);
      expect(await listed("/notes?createdBy=agent:planner", "notes")).toEqual(["n4"]);
      expect(await listed("/notes?userId=bob&createdBy=user:bob", "notes")).toEqual(["n3"]);
      expect(await listed("/notes?userId=ada&createdBy=user:bob", "notes")).toEqual([]);
      const { nextCursor } = (await get("/notes?limit=3")).body;
      expect(await listed(`/notes?cursor=${nextCursor}`, "notes")).toEqual(["n1"]);
    });

    it.each([
      ["agent", "planner", ["n4"]],
      ["user", "bob", ["n4", "n3"]],
      ["user", "ada", ["n2", "n1"]],
      ["machine", "planner", []],
    ] as const)("answer the %s %s without parameters with what it may see", async (kind, id, ids) => {
      const authorization = `Bearer ${await createTestKey(api.database, kind, id, ["read"])}`;
      const response = await fetch(`${api.url}/api/v1/notes`, { headers: { authorization } });
      const { notes } = JSON.parse(await response.text());
      expect(notes.map((each: { id: string }) => each.id)).toEqual(ids);
    });

    it("answer a user's notes, page by page", async () => {
      const first = (await get("/notes?userId=ada&limit=1")).body;
      expect(first.notes).toMatchObject([
        { id: "n2", userId: "ada", title: null, content: "note n2", tags: ["a"], createdBy: "user:ada" },
      ]);
      expect(await listed(`/notes?userId=ada&cursor=${first.nextCursor}`, "notes")).toEqual(["n1"]);
    });

    it.each([
      ["/notes?userId=ada&limit=1", "/notes?userId=bob"],
      ["/notes?limit=1", "/notes?createdBy=user:bob"],
      ["/audit-log?limit=1", "/audit-log?actor=user:bob"],
    ])("refuse a cursor that is not theirs: of %s at %s, and one that was made up", async (list, other) => {
      const { nextCursor } = (await get(list)).body;
      for (const address of [`${other}&cursor=${nextCursor}`, `${list}&cursor=1024`]) {
        const { status, body } = await get(address);
        expect([status, body.code, body.errors[0].path]).toEqual([400, "cursor-invalid", "cursor"]);
      }
    });
  });

  it.each([
    ["/open-loops", "owner"],
    ["/open-loops?owner=", "owner"],
    ["/open-loops?owner=a&owner=b", "owner"],
    ["/open-loops?owner=%00", "owner"],
    ["/open-loops?owner=a&limit=0", "limit"],
    ["/tasks?limit=1001", "limit"],
    [`/tasks?owner=${"x".repeat(129)}`, "owner"],
    ["/reservations", "guest"],
    ["/reservations?guest=g&from=2026-01-01&to=2026-01-02", "guest"],
    ["/reservations?guest=g&resource=r", "resource"],
    ["/reservations?from=2026-01-01", "from"],
    ["/reservations?from=2026-01-02&to=2026-01-01", "to"],
    ["/compliance?from=2026-01-01", "to"],
    ["/compliance?from=2026-02-30&to=2026-03-01", "from"],
    ["/compliance?from=0000-01-01&to=2026-03-01", "from"],
    ["/compliance?from=2026-03-02&to=2026-03-01", "to"],
    ["/audit-log?subjectType=note", "subjectType"],
    ["/audit-log?actor=", "actor"],
    ["/notes?userId=", "userId"],
    ["/notes?createdBy=", "createdBy"],
  ])("refuse %s", async (path, parameter) => {
    const { status, body } = await get(path);
    expect([status, body.code, body.errors?.[0].path]).toEqual([400, "parameter-invalid", parameter]);
  });

  it.each(["open-loops", "tasks", "reservations", "compliance", "audit-log", "notes"])(
    "refuse a parameter that /%s does not know",
    async (route) => {
      const { status, body } = await get(`/${route}?ownr=a`);
      expect([status, body.code]).toEqual([400, "parameter-unknown"]);
    },
  );
});
