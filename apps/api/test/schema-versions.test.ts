import { createSynapClient } from "@synap/client";
import { createEventStore, startPresence, syncEventTypes } from "@synap/database/internal";
import { postEvent } from "@synap/database/testing";
import { createEventCatalogue, defineEventType, type JsonObject, seedCatalogue } from "@synap/types";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

const first = z.strictObject({ total: z.number() });
const about = { name: "bill.drawn", description: "A bill was drawn up." } as const;
const older = seedCatalogue.extend([defineEventType({ ...about, schema: first, example: { total: 1 } })]);
const newer = seedCatalogue.extend([
  defineEventType({
    ...about,
    version: 2,
    schema: z.strictObject({ cents: z.int() }),
    example: { cents: 1 },
    upcast: {
      1: {
        schema: first,
        up({ total }) {
          if (total < 0) throw new RangeError("a secret of the step");
          return { cents: Math.round(total * 100) };
        },
      },
    },
  }),
  defineEventType({
    name: "bill.sent",
    description: "A bill was sent.",
    version: 2,
    schema: z.strictObject({ cents: z.int() }),
    example: { cents: 1 },
    upcast: { 1: { schema: first, up: ({ total }) => ({ cents: total * 100 }) } },
    parse: true,
  }),
]);
const type = "bill.drawn";

describe("an API whose event type has two versions", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({}, "embedded", { catalogue: newer, presenceIntervalMs: 10 });
    await syncEventTypes(api.database, newer);
  });
  afterAll(() => api.stop());

  const send = async (path: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await fetch(`${api.url}/api/v1${path}`, {
      headers: { "content-type": "application/json", ...headers },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  const sent = () => api.broker.received.splice(0).flatMap(({ events }) => events);

  it("accepts both, each by its own schema, and passes them on as they were sent", async () => {
    sent();
    expect((await send("/events", { type, data: { total: 1.5 } })).status).toBe(202);
    expect((await send("/events", { type, schemaVersion: 2, data: { cents: 150 } })).status).toBe(202);
    expect((await send("/events", { event_type: type, schema_version: 2, data: { cents: 1 } })).status).toBe(
      202,
    );
    const events = sent();
    expect(events).toMatchObject([
      { data: { total: 1.5 } },
      { schemaVersion: 2, data: { cents: 150 } },
      { schemaVersion: 2, data: { cents: 1 } },
    ]);
    expect(events[0]).not.toHaveProperty("schemaVersion");
  });

  it("accepts both as CloudEvents, in either mode", async () => {
    sent();
    const attributes = { specversion: "1.0", id: "1", source: "test", type, schemaversion: 2 };
    const structured = await send(
      "/events",
      { ...attributes, data: { cents: 150 } },
      { "content-type": "application/cloudevents+json" },
    );
    const headers = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`ce-${name}`, String(value)]),
    );
    const binary = await send("/events", { cents: 150 }, { ...headers, "ce-id": "2" });
    expect([structured.status, binary.status]).toEqual([202, 202]);
    expect(sent()).toMatchObject([{ schemaVersion: 2 }, { schemaVersion: 2 }]);
  });

  it("refuses a version that it doesn't know, and says what a missing one means", async () => {
    const newest = await send("/events", { type, schemaVersion: 3, data: { cents: 1 } });
    expect(newest).toMatchObject({
      status: 422,
      body: { code: "event-invalid", errors: [{ path: "schemaVersion", code: "schema-version-newer" }] },
    });
    const missing = await send("/events", { type, data: { cents: 150 } });
    expect(missing.body.errors).toContainEqual({
      path: "schemaVersion",
      code: "schema-version-older",
      reason: 'is absent, which means 1; the current version of "bill.drawn" is 2',
    });
    const inStream = await send("/streams/bill/o-9/events", { events: [{ type, data: { cents: 150 } }] });
    expect(inStream).toMatchObject({ status: 422, body: { code: "event-invalid" } });
  });

  it("answers with the current version in every form, and keeps what was sent", async () => {
    const stream = "/streams/bill/o-1";
    const { body } = await send(`${stream}/events`, { events: [{ type, data: { total: 1.5 } }] });
    expect(body.events).toHaveLength(1);
    const [{ id }] = body.events;
    const current = { id, schemaVersion: 2, data: { cents: 150 } };
    expect((await send(`/events/${id}`)).body).toMatchObject(current);
    for (const path of ["/events?aggregateId=o-1", stream, "/events/aggregate/bill/o-1/history"]) {
      expect((await send(path)).body.events).toMatchObject([current]);
    }
    expect((await send(`/traces/${id}`)).body.nodes).toMatchObject([{ event: current }]);
    expect((await send("/aggregates/bill/o-1")).body.state).toEqual({ [type]: { cents: 150 } });
    const snake = await send(`/events/${id}`, undefined, { accept: 'application/json; profile="snake"' });
    expect(snake.body).toMatchObject({ schema_version: 2, data: { cents: 150 } });
    const cloud = await send(`/events/${id}`, undefined, { accept: "application/cloudevents+json" });
    expect(cloud.body).toMatchObject({ schemaversion: 2, data: { cents: 150 } });
    for await (const event of createSynapClient({ url: api.url }).subscribe({ from: "start" })) {
      expect(event).toMatchObject(current);
      break;
    }
    const rows = await api.database.query(
      "SELECT data, schema_version FROM synap.events WHERE aggregate_id = 'o-1'",
    );
    expect(rows).toEqual([{ data: { total: 1.5 }, schema_version: null }]);
  });

  it.each([
    ["fails in a step", "bill.drawn", -1],
    ["breaks the schema of a type with parse", "bill.sent", 0.005],
  ])("answers 500 for an event that %s, without what it says, and all others", async (_, failing, total) => {
    const [stream, other] = [`/streams/bill/${failing}`, "/streams/bill/o-fine"];
    const { body } = await send(`${stream}/events`, { events: [{ type: failing, data: { total } }] });
    const [{ id }] = body.events;
    await send(`${other}/events`, { events: [{ type: failing, data: { total: 2 } }] });
    for (const path of [
      `/events/${id}`,
      `/events?aggregateId=${failing}`,
      stream,
      `/aggregates/bill/${failing}`,
    ]) {
      const answer = await send(path);
      expect([path, answer.status, answer.body.code]).toEqual([path, 500, "internal-error"]);
      expect(JSON.stringify(answer.body)).not.toContain("secret");
    }
    expect(await send(other)).toMatchObject({ status: 200 });
  });

  it("answers 503 for an aggregate that has an event of a newer version, and stores nothing", async () => {
    const types = seedCatalogue.types.map((definition) => {
      if (definition.name !== "reservation.created") return definition;
      const { schema, jsonSchema } = definition;
      return {
        ...definition,
        version: 2,
        earlier: [{ version: 1, schema, jsonSchema, personal: [], up: (data: JsonObject) => data }],
      };
    });
    const nextRelease = createEventCatalogue(types);
    const data = { guestId: "guest-1", startDate: "2026-06-01" };
    const created = nextRelease.createSynapEvent({ type: "reservation.created", aggregateId: "r-new", data });
    await createEventStore({ database: api.database, catalogue: nextRelease }).append(created);
    const refused = { status: 503, body: { code: "event-version-newer" } };
    expect(await send("/aggregates/reservation/r-new")).toMatchObject(refused);
    expect(await send("/reservations/r-new/cancel", { data: { reason: "ill" } })).toMatchObject(refused);
    const { status, body } = await send("/streams/reservation/r-new");
    expect([status, body.events]).toMatchObject([200, [{ id: created.id, schemaVersion: 2 }]]);
  });

  it("is sent the version of a client that names it once", async () => {
    const synap = createSynapClient<typeof newer>({ url: api.url, schemaVersions: { [type]: 2 } });
    sent();
    await synap.publish({ type, data: { cents: 1 } });
    await synap.publishBatch([{ type, data: { cents: 2 } }]);
    expect(sent()).toMatchObject([{ schemaVersion: 2 }, { schemaVersion: 2 }]);
    const stream = { aggregateType: "bill", aggregateId: "o-2" };
    await synap.append(stream, [{ type, data: { cents: 3 } }]);
    for await (const event of synap.readStream(stream)) expect(event).toMatchObject({ schemaVersion: 2 });
  });

  it("lists both versions of the type", async () => {
    expect((await send(`/events/types/${type}`)).body).toMatchObject({
      schemaVersion: 2,
      jsonSchema: { required: ["cents"] },
      earlierSchemas: [{ schemaVersion: 1, jsonSchema: { required: ["total"] } }],
    });
  });

  it("takes both through SQL too", async () => {
    const stream = { type, aggregateId: "o-3" };
    await postEvent(api.database, { ...stream, data: { total: 2 } });
    await postEvent(api.database, { ...stream, data: { cents: 300 }, schemaVersion: 2 });
    await expect(postEvent(api.database, { ...stream, data: { cents: 300 } })).rejects.toThrow(/data/);
    const { body } = await send("/streams/bill/o-3");
    expect(body.events).toMatchObject([{ data: { cents: 200 } }, { data: { cents: 300 } }]);
  });

  it("refuses the version, and not the type, while a worker of the earlier release runs", async () => {
    const old = await startPresence({
      database: api.database,
      role: "worker",
      catalogue: older,
      logger: pino({ level: "silent" }),
    });
    const attempt = (body: object) => send("/events", { type, ...body });
    await vi.waitFor(async () =>
      expect(await attempt({ schemaVersion: 2, data: { cents: 1 } })).toMatchObject({
        status: 503,
        body: { code: "event-type-not-ready", detail: expect.stringContaining(`does not know ${type}@2`) },
      }),
    );
    expect((await attempt({ data: { total: 1 } })).status).toBe(202);
    await old.close();
    await vi.waitFor(async () =>
      expect((await attempt({ schemaVersion: 2, data: { cents: 1 } })).status).toBe(202),
    );
  });
});
