import { randomUUID } from "node:crypto";
import { createEventStore, listDeadLetters } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { appendAcceptedEvents, keepRefusedEvents } from "@synap/handlers/internal";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

const note = (content = "first") =>
  createSynapEvent({
    type: "note.creation.requested",
    aggregateId: "the-note",
    data: { content, tags: ["a", "b"], title: "t" },
  });

describe.each(testEngines())("an id that comes again with other content (%s)", (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({}, engine);
  });
  afterAll(() => api.stop());
  beforeEach(() => {
    api.broker.received.length = 0;
  });

  const post = async (path: string, body: unknown) =>
    readResponse(
      await fetch(`${api.url}/api/v1${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
  async function store(event: SynapEvent): Promise<number> {
    const outcome = await createEventStore({ database: api.database, catalogue: seedCatalogue }).append(
      event,
    );
    return outcome.status === "stored" ? outcome.position : 0;
  }
  /** Stores everything that the broker received, as the worker does. */
  async function work(): Promise<void> {
    const { database } = api;
    const appending = createEventStore({ database, catalogue: seedCatalogue });
    for (const { events } of api.broker.received.splice(0)) {
      const outcomes = await appendAcceptedEvents(database, appending, events);
      await keepRefusedEvents(database, events, outcomes);
    }
  }
  /** Everything that the store compares. */
  const others = (event: SynapEvent): [string, SynapEvent][] => [
    ["data", { ...event, data: { ...event.data, content: "second" } }],
    ["a field less", { ...event, data: { content: "first" } }],
    ["another order in a list", { ...event, data: { ...event.data, tags: ["b", "a"] } }],
    ["type", { ...event, type: "note.creation.completed" }],
    ["stream", { ...event, aggregateId: "another-note" }],
  ];

  it("is 409 for a single event against the stored one, whatever differs, and nothing is sent on", async () => {
    const event = note();
    const position = await store(event);
    for (const [what, other] of others(event)) {
      const { status, body } = await post("/events", other);
      expect([what, status, body.code, body.id]).toEqual([what, 409, "event-id-conflict", event.id]);
      expect(body.errors).toEqual([
        { path: "id", code: "event-id-conflict", reason: expect.stringContaining(`position ${position}`) },
      ]);
    }
    expect(api.broker.received).toEqual([]);
  });

  it("is no conflict when the store would see none: the order of fields, the time, the writing of a number", async () => {
    const event = createSynapEvent({
      type: "product.stock_updated",
      aggregateId: "pump",
      data: { newQuantity: 100, warehouse: "north" },
    });
    const position = await store(event);
    const data = '{"warehouse":"north","newQuantity":1.0e2}';
    const text = JSON.stringify({
      ...event,
      id: event.id.toUpperCase(),
      timestamp: new Date().toISOString(),
    });
    const response = await readResponse(
      await fetch(`${api.url}/api/v1/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: text.replace(JSON.stringify(event.data), data),
      }),
    );
    expect([response.status, response.body]).toEqual([200, { status: "duplicate", id: event.id, position }]);
  });

  it("is a rejected result in a batch, against the stored one and against an earlier one of the same batch", async () => {
    const [stored, fresh] = [note(), note()];
    const position = await store(stored);
    const other = (event: SynapEvent) => ({ ...event, data: { content: "second" } });
    const { status, body } = await post("/events/batch", {
      events: [fresh, other(stored), other(fresh), fresh, stored, other(stored)],
    });
    expect(status).toBe(202);
    expect(body.results).toMatchObject([
      { index: 0, status: "accepted", id: fresh.id },
      { index: 1, status: "rejected", path: "id", code: "event-id-conflict" },
      { index: 2, status: "rejected", path: "id", code: "event-id-conflict" },
      { index: 3, status: "duplicate", id: fresh.id },
      { index: 4, status: "duplicate", id: stored.id, position },
      { index: 5, status: "rejected", code: "event-id-conflict" },
    ]);
    expect(api.broker.received.flatMap(({ events }) => events)).toEqual([fresh]);
    const all = await post("/events/batch", [other(stored)]);
    expect([all.status, all.body.code, all.body.results[0]?.code]).toEqual([
      422,
      "batch-rejected",
      "event-id-conflict",
    ]);
  });

  it("is judged for each of two clients who ask at the same moment", async () => {
    const event = note();
    await store(event);
    const responses = await Promise.all(
      [event, { ...event, data: { content: "second" } }, event].map((each) => post("/events", each)),
    );
    expect(responses.map(({ status }) => status)).toEqual([200, 409, 200]);
  });

  it("is an open dead letter with the content that lost, where two clients were both answered 202", async () => {
    const event = note();
    const other = { ...event, data: { content: "second" } };
    const responses = await Promise.all([post("/events", event), post("/events", other)]);
    expect(responses.map(({ status }) => status)).toEqual([202, 202]);
    await work();
    const stored = await readResponse(await fetch(`${api.url}/api/v1/events/${event.id}`));
    const deadLetters = await listDeadLetters(api.database, { handler: "ingest-events", status: "open" });
    const [deadLetter] = deadLetters.filter(({ eventId }) => eventId === event.id);
    expect(deadLetter).toMatchObject({ code: "event-id-conflict" });
    expect(deadLetter?.reason).toContain("stored at position");
    const kept = [stored.body, deadLetter?.event].map(
      (each) => (each as unknown as SynapEvent).data["content"],
    );
    expect(kept.sort()).toEqual(["first", "second"]);
    expect((await post("/events", other)).status + (await post("/events", event)).status).toBe(200 + 409);
  });

  it("is 409 in an append to a stream, stored before and twice in one append, and nothing is stored", async () => {
    const [stored, fresh] = [note(), note()];
    await store(stored);
    const append = (...events: SynapEvent[]) => post("/streams/note/the-note/events", { events });
    for (const events of [
      [fresh, { ...stored, data: { content: "second" } }],
      [fresh, { ...fresh, data: { content: "second" } }],
    ]) {
      const { status, body } = await append(...events);
      expect([status, body.code, body.id]).toEqual([409, "event-id-conflict", events[1]?.id]);
    }
    expect((await fetch(`${api.url}/api/v1/events/${fresh.id}`)).status).toBe(404);
    expect((await append(stored)).status).toBe(200);
  });

  it("does not arise from an idempotency key, by which two events are the same", async () => {
    const event = { ...note(), idempotencyKey: randomUUID() };
    const position = await store(event);
    const other = { ...note("second"), idempotencyKey: event.idempotencyKey };
    const { status, body } = await post("/events", other);
    expect([status, body]).toEqual([200, { status: "duplicate", id: event.id, position }]);
  });
});
