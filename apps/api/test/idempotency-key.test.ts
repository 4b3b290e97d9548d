import { randomUUID } from "node:crypto";
import { createEventStore } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { type SynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const TYPE = "note.creation.requested";
const note = (content = "hello") => ({ type: TYPE, data: { content } });
const attributes = { specversion: "1.0", id: "c-1", source: "https://example.com/shop", type: TYPE };
const structured = "application/cloudevents+json";

describe.each(testEngines())("the header Idempotency-Key, on the %s engine", (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({}, engine);
  });
  afterAll(() => api.stop());
  beforeEach(() => {
    api.broker.received.length = 0;
  });

  async function post(path: string, body: unknown, headers: Record<string, string>) {
    const response = await fetch(`${api.url}/api/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  }
  const sent = (): SynapEvent[] => api.broker.received.flatMap(({ events }) => events);
  const storeSent = () =>
    createEventStore({ database: api.database, catalogue: seedCatalogue }).appendBatch(sent());

  const forms: [string, string, (key?: string) => { body: object; headers?: Record<string, string> }][] = [
    ["camel case", "idempotencyKey", (key) => ({ body: { ...note(), ...(key && { idempotencyKey: key }) } })],
    [
      "snake case",
      "idempotency_key",
      (key) => ({
        body: { event_type: TYPE, data: { content: "hello" }, ...(key && { idempotency_key: key }) },
      }),
    ],
    [
      "a structured CloudEvent",
      "idempotencykey",
      (key) => ({
        body: { ...attributes, id: randomUUID(), data: { content: "hello" }, idempotencykey: key ?? null },
        headers: { "content-type": structured },
      }),
    ],
    [
      "a binary CloudEvent",
      "idempotencykey",
      (key) => ({
        body: { content: "hello" },
        headers: {
          ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value])),
          "ce-id": randomUUID(),
          ...(key && { "ce-idempotencykey": key }),
        },
      }),
    ],
  ];

  describe.each(forms)("of one event in %s", (_, field, form) => {
    it("is the event's key, also beside the same one in the event", async () => {
      const key = randomUUID();
      for (const inBody of [undefined, key]) {
        const { body, headers } = form(inBody);
        const answer = await post("/events", body, { ...headers, "idempotency-key": `"${key}"` });
        expect([answer.status, answer.body.errors]).toEqual([202, undefined]);
      }
      expect(sent().map(({ idempotencyKey }) => idempotencyKey)).toEqual([key, key]);
      const [first, second] = await storeSent();
      expect([first?.status, second?.status]).toEqual(["stored", "duplicate"]);
      const { body, headers } = form();
      expect(await post("/events", body, { ...headers, "idempotency-key": key })).toMatchObject({
        status: 200,
        body: { status: "duplicate", id: first?.id },
      });
    });

    it("is refused beside another one in the event, which the problem names as it was sent", async () => {
      const { body, headers } = form("one");
      expect(await post("/events", body, { ...headers, "idempotency-key": "two" })).toMatchObject({
        status: 422,
        body: { code: "event-invalid", errors: [{ path: field, code: "not-allowed" }] },
      });
      expect(sent()).toEqual([]);
    });
  });

  it.each(["", '"', '"a', "a b", "ü", "x".repeat(256)])(
    "is refused as %j by all that take it",
    async (key) => {
      for (const [path, body] of [
        ["/events", note()],
        ["/events/batch", [note()]],
        [`/streams/note/${randomUUID()}/events`, { events: [note()] }],
      ] as const) {
        const { status, body: problem } = await post(path, body, { "idempotency-key": key });
        expect([status, problem.code, problem.errors[0].path]).toEqual([
          400,
          "parameter-invalid",
          "Idempotency-Key",
        ]);
      }
    },
  );

  const lists: [string, (events: object[]) => unknown, Record<string, string>][] = [
    ["a list", (events) => events, {}],
    ["an object with a list", (events) => ({ events }), {}],
    [
      "lines",
      (events) => events.map((event) => JSON.stringify(event)).join("\n"),
      { "content-type": "application/x-ndjson" },
    ],
  ];

  describe.each(lists)("of a batch that is %s", (_, write, headers) => {
    const batch = (events: object[], key: string) =>
      post("/events/batch", write(events), { ...headers, "idempotency-key": key });

    it("stores each event once, and refuses other content in its place", async () => {
      const key = randomUUID();
      const events = [note("one"), { event_type: TYPE, data: { content: "two" } }, note("three")];
      const first = await batch(events, key);
      const again = await batch(events, key);
      expect([first.status, again.body]).toEqual([202, first.body]);
      expect(new Set(sent().map(({ id }) => id)).size).toBe(3);
      expect((await storeSent()).map(({ status }) => status)).toEqual([
        ...["stored", "stored", "stored"],
        ...["duplicate", "duplicate", "duplicate"],
      ]);
      const changed = await batch([note("one"), note("changed"), note("three"), note("four")], key);
      expect(changed.body.results).toMatchObject([
        { status: "duplicate" },
        { status: "rejected", code: "idempotency-key-reused", path: "" },
        { status: "duplicate" },
        { status: "accepted" },
      ]);
    });

    it("leaves events alone that have an id or a key of their own", async () => {
      const id = randomUUID();
      const key = randomUUID();
      await batch(
        [
          { ...note(), id },
          { ...note(), idempotencyKey: "own" },
          { event_type: TYPE, data: { content: "" } },
        ],
        key,
      );
      const [first, second, third] = sent();
      expect([first?.id, second?.idempotencyKey, third?.idempotencyKey]).toEqual([id, "own", undefined]);
      expect(second?.id).not.toBe(third?.id);
      await batch([{ event_type: TYPE, data: { content: "" }, idempotency_key: "own" }], key);
      expect(sent().at(-1)?.idempotencyKey).toBe("own");
    });
  });

  it("of a batch of CloudEvents is read, and each is identified by its id and source", async () => {
    const many = { "content-type": "application/cloudevents-batch+json" };
    const events = [{ ...attributes, id: "b-1", data: { content: "one" } }];
    for (const key of ["one", "two"])
      expect((await post("/events/batch", events, { ...many, "idempotency-key": key })).status).toBe(202);
    expect(new Set(sent().map(({ id }) => id)).size).toBe(1);
    expect((await post("/events/batch", events, { ...many, "idempotency-key": '"' })).status).toBe(400);
  });

  it("is the sender's own: others may use the same one", async () => {
    const ids = [];
    for (const [kind, id] of [
      ["user", "ada"],
      ["user", "bob"],
      ["machine", "ada"],
    ] as const) {
      const authorization = `Bearer ${await createTestKey(api.database, kind, id, ["publish"])}`;
      const { body } = await post("/events/batch", [note()], { authorization, "idempotency-key": "same" });
      ids.push(body.results[0].id);
    }
    expect(new Set(ids).size).toBe(3);
  });

  it("of an append stores it once, whatever version is expected, and refuses other content", async () => {
    const key = randomUUID();
    const append = (stream: string, contents: string[], headers: Record<string, string> = {}) =>
      post(
        `/streams/note/${stream}/events`,
        { events: contents.map(note) },
        { "idempotency-key": key, ...headers },
      );
    const stream = randomUUID();
    const none = { "if-none-match": "*" };
    const first = await append(stream, ["one", "two"], none);
    expect(first).toMatchObject({ status: 201, body: { streamVersion: 2 } });
    const again = await append(stream, ["one", "two"], none);
    expect(again).toMatchObject({ status: 200, body: { streamVersion: 2 } });
    expect(again.body.events.map(({ position }: { position: number }) => position)).toEqual(
      first.body.events.map(({ position }: { position: number }) => position),
    );
    expect(await append(stream, ["one", "changed"])).toMatchObject({
      status: 422,
      body: { code: "idempotency-key-reused" },
    });
    expect((await append(randomUUID(), ["one", "changed"])).status).toBe(201);
  });
});
