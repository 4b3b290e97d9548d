import { randomUUID } from "node:crypto";
import { createEventStore } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { correctionOf, createSynapEvent, retractionOf, type StoredEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

interface Reservation {
  readonly version: number;
  readonly state: Record<string, unknown>;
  readonly events: { id: string; streamVersion: number }[];
}

let api: TestApi;
const stay = { guestId: "guest-1", startDate: "2026-06-01", endDate: "2026-06-04" };

async function answer(response: Response) {
  const text = await response.text();
  const body: Reservation & Record<string, unknown> = JSON.parse(text);
  return { status: response.status, etag: response.headers.get("etag"), body };
}

const command = async (id: string, name: string, body: unknown, headers: Record<string, string> = {}) =>
  answer(
    await fetch(`${api.url}/api/v1/reservations/${encodeURIComponent(id)}/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    }),
  );
const show = async (id: string, query = "", type = "reservation") =>
  answer(await fetch(`${api.url}/api/v1/aggregates/${type}/${encodeURIComponent(id)}${query}`));

describe.each(testEngines())("on the %s engine", (engine) => {
  beforeAll(async () => {
    api = await startTestApi({}, engine);
  });
  afterAll(() => api.stop());

  it("a reservation is created, rescheduled and cancelled", async () => {
    const id = `r/${randomUUID()} ä`;
    const made = await command(id, "create", { data: stay, userId: "ada", correlationId: "flow-1" });
    expect(made).toMatchObject({
      status: 201,
      etag: '"1"',
      body: {
        aggregateType: "reservation",
        aggregateId: id,
        version: 1,
        state: { status: "CONFIRMED", ...stay },
        repeated: false,
      },
    });
    expect(await command(id, "reschedule", { data: { startDate: "2026-07-01" } })).toMatchObject({
      status: 201,
      body: { version: 2, state: { startDate: "2026-07-01", endDate: "2026-07-04" } },
    });
    expect(await command(id, "cancel", { data: { reason: "ill" } })).toMatchObject({
      status: 201,
      etag: '"3"',
    });

    const list = await fetch(`${api.url}/api/v1/events?order=asc&aggregateId=${encodeURIComponent(id)}`);
    const { events } = JSON.parse(await list.text());
    expect(events).toMatchObject([
      { type: "reservation.created", userId: "ada", createdBy: "user:ada", correlationId: "flow-1" },
      { type: "reservation.rescheduled", data: { oldStartDate: "2026-06-01", newStartDate: "2026-07-01" } },
      { type: "reservation.cancelled" },
    ]);
  });

  it("a refused command names the rule", async () => {
    const id = randomUUID();
    expect(await command(id, "cancel", { data: { reason: "ill" } })).toMatchObject({
      status: 409,
      body: { code: "command-refused", rule: "not-created" },
    });
    await command(id, "create", { data: stay });
    expect(await command(id, "create", { data: stay })).toMatchObject({
      status: 409,
      body: { code: "command-refused", rule: "already-created" },
    });
  });

  it("a command that changes nothing stores nothing", async () => {
    const id = randomUUID();
    await command(id, "create", { data: stay });
    expect(await command(id, "reschedule", { data: { startDate: stay.startDate } })).toMatchObject({
      status: 200,
      etag: '"1"',
      body: { events: [], version: 1 },
    });
  });

  it("a command that is not valid is refused, field by field", async () => {
    const bad = await command("r", "create", {
      data: { guestId: "g", startDate: "soon", wing: 1 },
      user: "x",
    });
    expect(bad).toMatchObject({ status: 422, body: { code: "command-invalid" } });
    expect(bad.body["errors"]).toMatchObject([
      { path: "data.startDate", code: "invalid" },
      { path: "data.wing", code: "unknown-field" },
      { path: "user", code: "unknown-field" },
    ]);
    expect(await command("r", "create", {})).toMatchObject({
      status: 422,
      body: { code: "command-invalid" },
    });
    expect(await command("r", "explode", { data: {} })).toMatchObject({
      status: 404,
      body: { code: "route-not-found" },
    });
    expect(await command("r", "cancl", { data: {} })).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('did you mean "/api/v1/reservations/r/cancel"?') },
    });
    expect(await command("x".repeat(129), "create", { data: stay })).toMatchObject({
      status: 400,
      body: { code: "parameter-invalid" },
    });
    let deep: object = {};
    for (let level = 0; level < 40; level += 1) deep = { deep };
    expect(await command("r", "create", { data: stay, metadata: deep })).toMatchObject({ status: 422 });
  });

  it("If-Match holds a command to the version that somebody saw", async () => {
    const id = randomUUID();
    await command(id, "create", { data: stay }, { "if-match": '"0"' });
    expect(await command(id, "cancel", { data: { reason: "ill" } }, { "if-match": '"0"' })).toMatchObject({
      status: 409,
      etag: '"1"',
      body: { code: "optimistic-lock", expectedVersion: 0, actualVersion: 1 },
    });
    expect(await command(id, "cancel", { data: { reason: "ill" } }, { "if-match": '"1"' })).toMatchObject({
      status: 201,
    });
  });

  it("If-Match: * and If-None-Match: * hold it to an aggregate that is, or is not, there", async () => {
    const id = randomUUID();
    const create = (headers: Record<string, string>) => command(id, "create", { data: stay }, headers);
    const refused = { status: 409, body: { code: "optimistic-lock" } };
    expect(await create({ "if-match": "*" })).toMatchObject({ ...refused, etag: '"0"' });
    expect(await create({ "if-none-match": "*" })).toMatchObject({ status: 201 });
    expect(await create({ "if-none-match": "*" })).toMatchObject({ ...refused, etag: '"1"' });
    expect(await command(id, "cancel", { data: { reason: "ill" } }, { "if-match": "*" })).toMatchObject({
      status: 201,
    });
  });

  it("a condition that is none is refused, as it is for streams", async () => {
    const conditions = [
      { "if-match": 'W/"1"' },
      { "if-match": '"01"' },
      { "if-none-match": '"1"' },
      { "if-match": '"1"', "if-none-match": "*" },
    ];
    for (const headers of conditions)
      expect(await command(randomUUID(), "create", { data: stay }, headers)).toMatchObject({
        status: 400,
        body: { code: "precondition-invalid" },
      });
  });

  it("Idempotency-Key makes sending again harmless", async () => {
    const id = randomUUID();
    const key = { "idempotency-key": "make-1" };
    const first = await command(id, "create", { data: stay }, key);
    await command(id, "cancel", { data: { reason: "ill" } });
    const again = await command(id, "create", { data: stay }, key);
    expect(first.status).toBe(201);
    expect(again).toMatchObject({
      status: 200,
      etag: '"1"',
      body: { repeated: true, state: first.body.state },
    });
    expect(again.body.events[0]?.id).toBe(first.body.events[0]?.id);
  });

  it("Idempotency-Key is a string in quotes, or the same text without", async () => {
    const id = randomUUID();
    const send = (key: string) => command(id, "create", { data: stay }, { "idempotency-key": key });
    expect((await send('"make \\"2\\""')).status).toBe(201);
    expect((await send('"make \\"2\\""')).body["repeated"]).toBe(true);
    const other = randomUUID();
    await command(other, "create", { data: stay }, { "idempotency-key": "make-3" });
    expect(
      (await command(other, "create", { data: stay }, { "idempotency-key": '"make-3"' })).body["repeated"],
    ).toBe(true);
    for (const key of ["", '""', '"make', "make it", "x".repeat(256), `"${"x".repeat(256)}"`, "\u00e9"])
      expect(await send(key), key).toMatchObject({ status: 400, body: { code: "parameter-invalid" } });
  });

  it("Idempotency-Key with other data is refused, and so is the slower of two at once", async () => {
    const id = randomUUID();
    const key = { "idempotency-key": "make-4" };
    const send = (guestId: string) => command(id, "create", { data: { ...stay, guestId } }, key);
    const both = await Promise.all(["g1", "g2"].map(send));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 422]);
    const refused = both.find(({ status }) => status === 422);
    expect(refused?.body).toMatchObject({ code: "idempotency-key-reused" });
    const known = both[0]?.status === 201 ? "g1" : "g2";
    const reordered = { data: Object.fromEntries(Object.entries({ ...stay, guestId: known }).reverse()) };
    expect(await command(id, "create", reordered, key)).toMatchObject({ status: 200, body: { version: 1 } });
  });

  it("many commands at once lose none of the rules", async () => {
    const id = randomUUID();
    const answers = await Promise.all(Array.from({ length: 6 }, () => command(id, "create", { data: stay })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
  });

  it("an aggregate is shown as it is, as it was at a version, and at a moment", async () => {
    const id = randomUUID();
    const before = new Date(Date.now() - 1_000).toISOString();
    await command(id, "create", { data: stay });
    await new Promise((done) => setTimeout(done, 5));
    const between = new Date().toISOString();
    await new Promise((done) => setTimeout(done, 5));
    await command(id, "cancel", { data: { reason: "ill" } });

    expect(await show(id)).toMatchObject({
      status: 200,
      etag: '"2"',
      body: { aggregateType: "reservation", aggregateId: id, version: 2, state: { status: "CANCELLED" } },
    });
    expect(await show(id, "?version=1")).toMatchObject({
      body: { version: 1, state: { status: "CONFIRMED" } },
    });
    expect(await show(id, `?at=${between}`)).toMatchObject({
      body: { version: 1, at: between, state: { status: "CONFIRMED" } },
    });
    expect(await show(id, `?at=${before}`)).toMatchObject({
      status: 404,
      body: { code: "aggregate-not-found" },
    });
    expect(await show(id, "?version=3")).toMatchObject({
      status: 404,
      body: { code: "version-not-found", actualVersion: 2 },
    });
  });

  it("an aggregate without rules has the newest data of each type of event, at any version or moment", async () => {
    const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
    const id = randomUUID();
    const at = (day: number) => `2026-01-0${day}T00:00:00.000Z`;
    const add = (type: "note.creation.requested" | "note.creation.completed", content: string, day: number) =>
      store.append(createSynapEvent({ type, aggregateId: id, data: { content }, timestamp: at(day) }), {
        timestamps: "backfill",
      });
    await add("note.creation.requested", "one", 1);
    await add("note.creation.completed", "two", 3);
    await add("note.creation.requested", "three", 4);
    // Added last, although it happened before.
    await add("note.creation.requested", "four", 2);
    const [requested, completed] = ["note.creation.requested", "note.creation.completed"];
    const now = await show(id, "", "note");
    expect(now).toEqual({
      status: 200,
      etag: '"4"',
      body: {
        aggregateType: "note",
        aggregateId: id,
        version: 4,
        fold: "latest-by-type",
        state: { [completed]: { content: "two" }, [requested]: { content: "four" } },
      },
    });
    for (const [query, version, state] of [
      ["?version=1", 1, { [requested]: { content: "one" } }],
      ["?version=3", 3, { [requested]: { content: "three" }, [completed]: { content: "two" } }],
      [`?at=${at(1)}`, 1, { [requested]: { content: "one" } }],
      [`?at=${at(2)}`, 4, { [requested]: { content: "four" } }],
    ] as const) {
      expect((await show(id, query, "note")).body, query).toMatchObject({ version, state });
    }
    expect(await show(id, "?at=2025-12-31T23:59:59Z", "note")).toMatchObject({
      status: 404,
      body: { code: "aggregate-not-found" },
    });
    expect(await show(id, "?version=5", "note")).toMatchObject({
      status: 404,
      body: { code: "version-not-found", actualVersion: 4 },
    });
  });

  it("an aggregate is shown as it was known, about a moment, with corrections applied", async () => {
    const id = randomUUID();
    const events = () => getEvents(id);
    const send = async (event: object) => {
      const response = await fetch(`${api.url}/api/v1/streams/reservation/${id}/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ events: [event] }),
      });
      return { status: response.status, body: await response.json() };
    };
    const inStream = ({ aggregateType: _type, aggregateId: _id, ...event }: Record<string, unknown>) => event;
    await command(id, "create", { data: stay });
    const [created] = await events();
    if (created === undefined) throw new Error("It was not created.");
    await laterThan(created);
    const moved = { ...stay, startDate: "2026-06-02" };
    expect(
      (await send(inStream({ ...correctionOf(created, { data: moved, reason: "misheard" }) }))).status,
    ).toBe(201);
    const corrected = (await events())[1];
    await laterThan(corrected);
    expect((await send(inStream({ ...retractionOf(created, { reason: "another guest" }) }))).status).toBe(
      201,
    );

    const about = new Date(Date.parse(created.timestamp) + 1).toISOString();
    const known = (at: string | undefined) => show(id, `?knownAt=${at}&validAt=${about}`);
    expect(await known(created.recordedAt)).toMatchObject({
      body: { version: 1, knownAt: created.recordedAt, validAt: about, state: { startDate: stay.startDate } },
    });
    expect(await known(corrected?.recordedAt)).toMatchObject({
      body: { version: 2, state: { status: "CONFIRMED", startDate: moved.startDate } },
    });
    expect(await show(id, `?validAt=${about}`)).toMatchObject({
      status: 404,
      body: { code: "aggregate-not-found" },
    });
    expect(await show(id, "?validAt=2020-01-01T00:00:00Z")).toMatchObject({ status: 404 });
    // A read that does not ask has all events, as they are stored.
    expect((await show(id)).body.version).toBe(3);

    const find = async (query: string) => {
      const path = `/api/v1/events?aggregateType=reservation&aggregateId=${id}&order=asc&${query}`;
      const page: { events: StoredEvent[] } = JSON.parse(await (await fetch(`${api.url}${path}`)).text());
      return page.events;
    };
    const idsOf = (events: readonly StoredEvent[]) => events.map((event) => event.id);
    expect(idsOf(await find(`corrections=applied&knownAt=${created.recordedAt}`))).toEqual([created.id]);
    expect(idsOf(await find(`corrections=applied&knownAt=${corrected?.recordedAt}`))).toEqual([
      corrected?.id,
    ]);
    expect(await find("corrections=applied")).toEqual([]);
    const marks = (await find("corrections=marked")).map(({ amendedBy }) => amendedBy?.kind);
    expect(marks).toEqual(["retraction", "retraction", undefined]);

    expect(
      await send({
        type: "reservation.cancelled",
        data: { reason: "ill" },
        metadata: { corrects: created.id },
      }),
    ).toMatchObject({
      status: 422,
      body: { errors: [{ path: "events[0].metadata.corrects", code: "amended-event-other" }] },
    });
    const inCommand = { data: { reason: "ill" }, metadata: { retracts: created.id } };
    expect(await command(id, "cancel", inCommand)).toMatchObject({
      status: 422,
      body: { errors: [{ path: "metadata.retracts", code: "amendment-invalid" }] },
    });
    const published = await fetch(`${api.url}/api/v1/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...correctionOf(created, { data: moved }),
        metadata: { corrects: randomUUID() },
      }),
    });
    expect([published.status, await published.json()]).toMatchObject([
      422,
      { errors: [{ path: "metadata.corrects", code: "amended-event-unknown" }] },
    ]);
  });

  async function getEvents(id: string): Promise<StoredEvent[]> {
    const response = await fetch(`${api.url}/api/v1/streams/reservation/${id}`);
    const page: { events: StoredEvent[] } = JSON.parse(await response.text());
    return page.events;
  }

  /** Waits until what is recorded next is recorded later. */
  async function laterThan(event: StoredEvent | undefined): Promise<void> {
    while (Date.now() <= Date.parse(event?.recordedAt ?? ""))
      await new Promise((done) => setTimeout(done, 1));
  }

  it("what is not there, or makes no sense, is named", async () => {
    expect(await show("none")).toMatchObject({ status: 404, body: { code: "aggregate-not-found" } });
    expect(await show("n-1", "", "note")).toMatchObject({
      status: 404,
      body: { code: "aggregate-not-found" },
    });
    expect(await show("n-1", "", "reservatoin")).toMatchObject({
      status: 404,
      body: {
        code: "aggregate-type-unknown",
        detail: expect.stringContaining('did you mean "reservation"?'),
      },
    });
    for (const query of [
      "?version=0",
      "?version=1.5",
      "?at=yesterday",
      "?version=1&at=2026-01-01T00:00:00Z",
      "?version=1&validAt=2026-01-01T00:00:00Z",
      "?at=2026-01-01T00:00:00Z&knownAt=2026-01-01T00:00:00Z",
      "?knownAt=monday",
    ]) {
      expect(await show("r", query)).toMatchObject({ status: 400, body: { code: "parameter-invalid" } });
    }
    expect(await show("r", "?when=now")).toMatchObject({ status: 400, body: { code: "parameter-unknown" } });
  });

  it("the past is refused for a moment that is still to come, whatever there is, and what holds then is not", async () => {
    const id = randomUUID();
    await command(id, "create", { data: stay });
    const later = "2999-01-01T00:00:00Z";
    for (const name of ["at", "knownAt"]) {
      for (const type of ["reservation", "note", "reservatoin"]) {
        expect(await show(id, `?${name}=${later}`, type)).toMatchObject({
          status: 400,
          body: { code: "moment-in-future", errors: [{ path: name, code: "moment-in-future" }] },
        });
      }
      const soon = new Date(Date.now() + 20_000).toISOString();
      expect(await show(id, `?${name}=${soon}`)).toMatchObject({ status: 200, body: { version: 1 } });
    }
    expect(await show(id, `?validAt=${later}`)).toMatchObject({ status: 200, body: { version: 1 } });
  });
});
