import type { Scope } from "@synap/types/http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: events, results and problems; each test looks at what it asked for
  readonly body: any;
}

async function post(token: string, path: string, body: unknown, type = "application/json"): Promise<Answer> {
  const response = await fetch(`${api.url}/api/v1${path}`, {
    method: "POST",
    headers: { "content-type": type, authorization: `Bearer ${token}` },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const note = (fields: object = {}) => ({
  type: "note.creation.requested",
  data: { content: "mine" },
  ...fields,
});

/** The actor fields of the events that reached the broker. */
const published = () =>
  api.broker.received
    .flatMap(({ events }) => events)
    .map(({ userId, createdBy }) => ({ ...(userId !== undefined && { userId }), createdBy }));

const WHO = [
  ["user", "ada", { userId: "ada", createdBy: "user:ada" }],
  ["staff", "grace", { userId: "grace", createdBy: "user:grace" }],
  ["agent", "planner", { createdBy: "agent:planner" }],
  ["machine", "importer", { createdBy: "agent:service:importer" }],
] as const;
const PUBLISH: readonly Scope[] = ["publish"];

describe.each(WHO)("what a %s publishes", (kind, id, actor) => {
  let token: string;
  beforeAll(async () => {
    token = await createTestKey(api.database, kind, id, PUBLISH);
  });

  it("is its own: one event, a batch, lines", async () => {
    const before = published().length;
    expect((await post(token, "/events", note())).status).toBe(202);
    expect((await post(token, "/events", note(actor))).status).toBe(202);
    expect((await post(token, "/events/batch", [note(), note({ createdBy: actor.createdBy })])).status).toBe(
      202,
    );
    const lines = `${JSON.stringify(note())}\n${JSON.stringify(note())}\n`;
    expect((await post(token, "/events/batch", lines, "application/x-ndjson")).status).toBe(202);
    expect(published().slice(before)).toEqual(Array.from({ length: 6 }, () => actor));
  });

  it.each([
    { createdBy: "user:eve" },
    { createdBy: "system" },
    { createdBy: null },
    { userId: "eve" },
    { userId: "" },
  ])("is refused when it names somebody else: %j", async (other) => {
    const [field = ""] = Object.keys(other);
    const before = published().length;
    const single = await post(token, "/events", note(other));
    expect([single.status, single.body.code]).toEqual([403, "not-yourself"]);
    expect(single.body.errors).toEqual([{ path: field, code: "not-yourself", reason: expect.any(String) }]);
    const { status, body } = await post(token, "/events/batch", { events: [note(), note(other)] });
    expect([status, body.results[1]]).toEqual([
      202,
      expect.objectContaining({ status: "rejected", code: "not-yourself", path: field }),
    ]);
    expect(published()).toHaveLength(before + 1);

    const stream = `/streams/note/${id}-refused/events`;
    const event = { type: "note.creation.completed", data: { content: "mine" } };
    const appended = await post(token, stream, { events: [event, { ...event, ...other }] });
    expect([appended.status, appended.body.code, appended.body.errors[0].path]).toEqual([
      403,
      "not-yourself",
      `events[1].${field}`,
    ]);
  });

  it("is its own when appended to a stream, and by a command", async () => {
    const event = { type: "note.creation.completed", data: { content: "mine" } };
    const appended = await post(token, `/streams/note/${id}/events`, {
      events: [event, { ...event, ...actor }],
    });
    expect(appended.status).toBe(201);
    const command = { data: { guestId: id, startDate: "2031-06-01", endDate: "2031-06-04" } };
    const executed = await post(token, `/reservations/${id}/create`, command);
    expect([executed.status, executed.body.detail]).toEqual([201, undefined]);
    const other = await post(token, `/reservations/${id}-other/create`, {
      ...command,
      createdBy: "user:eve",
    });
    expect([other.status, other.body.code]).toEqual([403, "not-yourself"]);
    for (const stream of [`note/${id}`, `reservation/${id}`]) {
      const read = JSON.parse(await (await fetch(`${api.url}/api/v1/streams/${stream}`)).text());
      for (const { userId, createdBy } of read.events)
        expect({ ...(userId !== undefined && { userId }), createdBy }).toEqual(actor);
    }
  });
});

describe("a machine that may act for others", () => {
  it("names whose the events are, and a backfill needs its own scope", async () => {
    const token = await createTestKey(api.database, "machine", "gateway", ["publish", "act-for-others"]);
    const before = published().length;
    expect((await post(token, "/events", note({ userId: "ada" }))).status).toBe(202);
    expect((await post(token, "/events", note({ userId: "ada", createdBy: "agent:planner" }))).status).toBe(
      202,
    );
    expect(published().slice(before)).toEqual([
      { userId: "ada", createdBy: "user:ada" },
      { userId: "ada", createdBy: "agent:planner" },
    ]);
    const old = note({ timestamp: "2001-01-01T00:00:00Z" });
    expect((await post(token, "/events?backfill=true", old)).body).toMatchObject({
      status: 403,
      code: "scope-missing",
      scope: "backfill",
    });
    const loader = await createTestKey(api.database, "machine", "loader", ["publish", "backfill"]);
    expect((await post(loader, "/events?backfill=true", old)).status).toBe(202);
  });
});
