import { randomBytes, randomUUID } from "node:crypto";
import { createEventStore } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { createSynapEvent, MAX_EVENT_BYTES, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiResponse, readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

const note = (content = "hello") => ({ type: "note.creation.requested", data: { content } });
const LONG_AGO = "2015-01-01T00:00:00.000Z";

let api: TestApi;

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<ApiResponse> {
  const response = await fetch(`${api.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return readResponse(response);
}

const publish = (body: unknown, headers?: Record<string, string>) => post("/api/v1/events", body, headers);
const publishAll = (body: unknown, headers?: Record<string, string>) =>
  post("/api/v1/events/batch", body, headers);
const sentEvents = () => api.broker.received.flatMap(({ events }) => events);

async function store(event: ReturnType<typeof createSynapEvent>) {
  const [outcome] = await createEventStore({ database: api.database, catalogue: seedCatalogue }).appendBatch([
    event,
  ]);
  if (outcome?.status !== "stored") throw new Error("not stored");
  return outcome;
}

describe.each(testEngines())("on the %s engine", (engine) => {
  beforeAll(async () => {
    api = await startTestApi({ maxBatchEvents: 50, maxBodyBytes: 300_000, envelopeMaxBytes: 20_000 }, engine);
  });
  afterAll(() => api.stop());
  beforeEach(() => {
    api.broker.received.length = 0;
  });

  describe("POST /api/v1/events", () => {
    it("accepts an event, completes it, and hands it to the broker before it answers", async () => {
      const { status, body } = await publish({ ...note(), userId: "ada", correlationId: "c-1" });
      expect(status).toBe(202);
      expect(body).toEqual({ status: "accepted", id: expect.any(String) });
      expect(sentEvents()).toEqual([
        expect.objectContaining({
          id: body.id,
          version: "v1",
          aggregateType: "note",
          createdBy: "user:ada",
          source: "api",
          data: { content: "hello" },
        }),
      ]);
    });

    it("answers duplicate, with the position, for a stored event", async () => {
      const event = createSynapEvent({
        type: "note.creation.requested",
        data: { content: "stored" },
        idempotencyKey: randomUUID(),
      });
      const { id, position } = await store(event);
      expect(await publish(event)).toMatchObject({
        status: 200,
        body: { status: "duplicate", id, position },
      });
      const sameKey = { ...note(), idempotencyKey: event.idempotencyKey };
      expect(await publish(sameKey)).toMatchObject({
        status: 200,
        body: { status: "duplicate", id, position },
      });
      expect(api.broker.received).toEqual([]);
    });

    it("names the field that is wrong", async () => {
      const { status, headers, body } = await publish({
        type: "note.creation.requested",
        data: { content: 5 },
      });
      expect(status).toBe(422);
      expect(headers.get("content-type")).toBe("application/problem+json");
      expect(body).toMatchObject({
        type: "/problems/event-invalid",
        instance: headers.get("x-request-id"),
        errors: [{ path: "data.content", code: "wrong-type" }],
      });
    });

    it.each([
      ["an unknown field", { ...note(), colour: "red" }, 422, "event-invalid", "colour"],
      ["a field that is null", { ...note(), id: null }, 422, "event-invalid", "id"],
      ["an unknown type", { type: "nobody.knows", data: {} }, 422, "unknown-event-type", "type"],
      ["an old event", { ...note(), timestamp: LONG_AGO }, 422, "timestamp-too-old", "timestamp"],
      [
        "a future event",
        { ...note(), timestamp: "2200-01-01T00:00:00Z" },
        422,
        "timestamp-too-late",
        "timestamp",
      ],
      [
        "a repeated field",
        '{"type":"note.creation.requested","data":{"content":"a","content":"b"}}',
        422,
        "event-invalid",
        "data.content",
      ],
      [
        "a number that would be rounded",
        '{"type":"a.b","data":{"n":12345678901234567890}}',
        422,
        "event-invalid",
        "data.n",
      ],
      [
        "deep nesting",
        `{"type":"a.b","data":{"n":${"[".repeat(40)}${"]".repeat(40)}}}`,
        422,
        "too-deep",
        undefined,
      ],
      ["a prototype key", '{"type":"a.b","data":{},"__proto__":{"x":1}}', 422, "event-invalid", "__proto__"],
      ["a list", [note()], 422, "event-invalid", ""],
      ["broken JSON", '{"type":', 400, "malformed-json", ""],
      ["nothing", "", 400, "body-missing", undefined],
      ["a large event", note("x".repeat(MAX_EVENT_BYTES)), 413, "event-too-large", ""],
      ["a large body", note("x".repeat(400_000)), 413, "body-too-large", undefined],
    ])("refuses %s", async (_, body, status, code, path) => {
      const answer = await publish(body);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      if (path !== undefined) expect(answer.body.errors[0]?.path).toBe(path);
      expect(api.broker.received).toEqual([]);
    });

    it("counts a chunked body as it arrives", async () => {
      const chunk = new TextEncoder().encode("x".repeat(50_000));
      // Just above the limit, so that hardly anything is left to read after the response.
      let left = 8;
      const body = new ReadableStream({
        pull: (controller) => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
      });
      const response = await fetch(`${api.url}/api/v1/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        duplex: "half",
      });
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ code: "body-too-large", limit: 300_000 });
    });

    it.each([
      [{ "content-type": "text/plain" }, "unsupported-media-type"],
      [{ "content-type": "application/json; charset=latin1" }, "unsupported-media-type"],
      [{ "content-type": "application/json; charset=utf-8; charset=latin1" }, "unsupported-media-type"],
      [{ "content-type": "application/json; charset=utf-8; charset=utf-8" }, "unsupported-media-type"],
      [{ "content-encoding": "gzip" }, "unsupported-encoding"],
    ])("refuses the header %j", async (headers, code) => {
      expect(await publish(note(), headers)).toMatchObject({ status: 415, body: { code } });
    });

    it("answers under the request id of the client when it is a plain one", async () => {
      expect((await publish(note(), { "x-request-id": "trace-7" })).headers.get("x-request-id")).toBe(
        "trace-7",
      );
      expect((await publish(note(), { "x-request-id": "a b" })).headers.get("x-request-id")).toMatch(
        /^[0-9a-f-]{36}$/,
      );
    });
  });

  describe("POST /api/v1/events/batch", () => {
    it("answers each event in order; one bad event costs no other", async () => {
      const stored = createSynapEvent({ type: "note.creation.requested", data: { content: "stored" } });
      const { position } = await store(stored);
      const key = randomUUID();
      const { status, body } = await publishAll({
        events: [
          note("a"),
          { type: "note.creation.requested", data: {} },
          stored,
          { ...note("b"), idempotencyKey: key },
          7,
          { ...note("c"), idempotencyKey: key },
          note("x".repeat(MAX_EVENT_BYTES)),
        ],
      });
      expect(status).toBe(202);
      expect(body.results).toEqual([
        { index: 0, status: "accepted", id: expect.any(String) },
        {
          index: 1,
          status: "rejected",
          path: "data.content",
          code: "missing",
          reason: "is required",
          issues: [expect.anything()],
        },
        { index: 2, status: "duplicate", id: stored.id, position },
        { index: 3, status: "accepted", id: expect.any(String) },
        expect.objectContaining({ index: 4, status: "rejected", code: "wrong-type" }),
        { index: 5, status: "duplicate", id: body.results[3]?.id },
        expect.objectContaining({ index: 6, status: "rejected", code: "event-too-large" }),
      ]);
      expect(sentEvents().map(({ data }) => data["content"])).toEqual(["a", "b"]);
    });

    it("keeps one creator's idempotency keys apart from another's", async () => {
      const events = ["ada", "ben"].map((userId) => ({ ...note(), userId, idempotencyKey: "same" }));
      const { body } = await publishAll(events);
      expect(body.results.map(({ status }) => status)).toEqual(["accepted", "accepted"]);
    });

    it("rejects alone the event whose text JSON.parse would change", async () => {
      const texts = [
        '{"a":1e999}',
        '{"type":"a.b","type":"a.c"}',
        JSON.stringify(note("good")),
        `{"a":${"[".repeat(60)}${"]".repeat(60)}}`,
      ];
      const { status, body } = await publishAll(`{"events":[${texts.join(",")}]}`);
      expect(status).toBe(202);
      expect(body.results.map((result) => result.code ?? result.status)).toEqual([
        "inexact-number",
        "duplicate-field",
        "accepted",
        "too-deep",
      ]);
    });

    it("accepts a bare array, and NDJSON with lines that are not JSON", async () => {
      expect((await publishAll([note(), note()])).status).toBe(202);
      const lines = [JSON.stringify(note("one")), "", "{broken", `${JSON.stringify(note("two"))}\r`];
      const { status, body } = await publishAll(lines.join("\n"), { "content-type": "application/x-ndjson" });
      expect(status).toBe(202);
      expect(body.results).toMatchObject([
        { index: 0, status: "accepted" },
        { index: 1, status: "rejected", code: "malformed-json", reason: expect.stringContaining("line 3") },
        { index: 2, status: "accepted" },
      ]);
    });

    it("answers 200 when all are duplicates and 422 when all are rejected", async () => {
      const stored = createSynapEvent({ type: "note.creation.requested", data: { content: "again" } });
      await store(stored);
      expect((await publishAll([stored, stored])).status).toBe(200);
      const rejected = await publishAll([{ type: "a.b", data: {} }, 5]);
      expect(rejected).toMatchObject({
        status: 422,
        body: { code: "batch-rejected", results: [{ index: 0 }, { index: 1 }] },
      });
    });

    it.each([
      ["a text", '"events"', 400, "batch-invalid"],
      ["no list", { events: {} }, 400, "batch-invalid"],
      ["a second field", { events: [], more: 1 }, 400, "batch-invalid"],
      ["the list twice", '{"events":[],"events":[]}', 400, "batch-invalid"],
      ["no event", [], 400, "batch-invalid"],
      ["broken JSON", '{"events":[{"type":}]}', 400, "malformed-json"],
      ["too many", Array.from({ length: 51 }, () => note()), 413, "batch-too-large"],
      [
        "too many doubtful ones",
        `[${Array.from({ length: 51 }, () => '{"n":1e999}').join(",")}]`,
        413,
        "batch-too-large",
      ],
    ])("refuses as a whole: %s", async (_, body, status, code) => {
      expect(await publishAll(body)).toMatchObject({ status, body: { code } });
      expect(api.broker.received).toEqual([]);
    });

    it("splits into envelopes that respect the limit, in order", async () => {
      // Such text does not compress.
      const contents = Array.from({ length: 50 }, () => randomBytes(1_125).toString("base64"));
      expect((await publishAll(contents.map((content) => note(content)))).status).toBe(202);
      expect(api.broker.received.length).toBeGreaterThan(3);
      for (const { bytes } of api.broker.received) expect(bytes).toBeLessThanOrEqual(20_000);
      expect(
        sentEvents()
          .map(({ data }) => data["content"])
          .sort(),
      ).toEqual([...contents].sort());
    });

    it("compresses an envelope of more than 8 KiB, and leaves a smaller one readable", async () => {
      for (const [count, isPacked] of [
        [5, false],
        [50, true],
      ] as const) {
        api.broker.received.length = 0;
        expect((await publishAll(Array.from({ length: count }, () => note("x".repeat(200))))).status).toBe(
          202,
        );
        expect(api.broker.received).toMatchObject([{ isPacked }]);
        expect(sentEvents()).toHaveLength(count);
      }
    });
  });

  describe("?backfill=true", () => {
    const old = { ...note(), timestamp: LONG_AGO };
    const authorization = `Bearer ${TOKEN}`;

    it.each(["/api/v1/events", "/api/v1/events/batch"])(
      "lifts the lateness window of %s for who has the scope",
      async (path) => {
        const body = path.endsWith("batch") ? [old] : old;
        expect((await post(`${path}?backfill=true`, body, { authorization })).status).toBe(202);
        expect((await post(`${path}?backfill=true`, body)).body.code).toBe("scope-missing");
        expect((await post(`${path}?backfill=true`, body, { authorization: "Bearer wrong" })).body.code).toBe(
          "token-invalid",
        );
        expect((await post(`${path}?backfill=yes`, body, { authorization })).body.code).toBe(
          "parameter-invalid",
        );
        expect((await post(`${path}?backfil=true`, body, { authorization })).body.code).toBe(
          "parameter-unknown",
        );
      },
    );

    it("does not let the future in", async () => {
      const future = { ...note(), timestamp: "2200-01-01T00:00:00Z" };
      expect((await post("/api/v1/events?backfill=true", future, { authorization })).body.code).toBe(
        "timestamp-too-late",
      );
    });
  });
});
