import { createEventStore, syncEventTypes } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { createSynapEvent, defineEventType, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type ApiResponse, type ApiResponseBody, readResponse } from "../testing/read-response.ts";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";

let api: TestApi;
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();
/** A moment that is ahead, but by less than clocks may differ. */
const soon = () => new Date(Date.now() + 20_000).toISOString();
const stored = Array.from({ length: 25 }, (_, minute) =>
  createSynapEvent({
    type: minute % 5 === 0 ? "note.creation.completed" : "note.creation.requested",
    data: { content: `note ${minute}` },
    aggregateId: `n-${minute % 2}`,
    userId: minute < 10 ? "ada" : "ben",
    correlationId: `flow ${minute % 3}/ü&`,
    timestamp: at(minute),
  }),
);

const get = async (path: string) => readResponse(await fetch(`${api.url}${path}`));

const contents = ({ events }: ApiResponseBody) => events.map(({ data }) => data["content"]);
const expected = (keep: (minute: number) => boolean) =>
  stored.flatMap((event, minute) => (keep(minute) ? [event.data.content] : []));

describe.each(testEngines())("on the %s engine", (engine) => {
  beforeAll(async () => {
    api = await startTestApi({}, engine);
    const outcomes = await createEventStore({ database: api.database, catalogue: seedCatalogue }).appendBatch(
      stored,
      {
        timestamps: "backfill",
      },
    );
    expect(outcomes.every(({ status }) => status === "stored")).toBe(true);
  });
  afterAll(() => api.stop());

  describe("GET /api/v1/events", () => {
    it("returns complete events, newest first", async () => {
      const { status, body } = await get("/api/v1/events?limit=3");
      expect(status).toBe(200);
      expect(contents(body)).toEqual(["note 24", "note 23", "note 22"]);
      expect(body.events[0]).toMatchObject({
        ...stored[24],
        position: expect.any(Number),
        streamVersion: 13,
      });
    });

    it.each([
      ["type=note.creation.completed", (minute: number) => minute % 5 === 0],
      ["type=note.creation.completed&type=note.creation.requested", () => true],
      ["aggregateType=note&aggregateId=n-1", (minute: number) => minute % 2 === 1],
      ["userId=ada", (minute: number) => minute < 10],
      [`correlationId=${encodeURIComponent("flow 1/ü&")}`, (minute: number) => minute % 3 === 1],
      ["createdBy=user%3Aada", (minute: number) => minute < 10],
      [`type=note.creation.requested&data={"content":"note 7"}`, (minute: number) => minute === 7],
      [`source=api&from=${at(0)}`, () => true],
      [`validAt=${at(3)}&aggregateType=note`, (minute: number) => minute <= 3],
      ["knownAt=2026-01-01T00:00:00Z", () => false],
      [`knownAt=${soon()}&corrections=applied`, () => true],
      ["validAt=9999-12-31T23:59:59.999Z&aggregateType=note", () => true],
      ["corrections=marked", () => true],
      ["recordedTo=2026-01-01T00:00:00Z", () => false],
      ["recordedFrom=2026-01-01T00:00:00%2B02:00", () => true],
      ["causationId=01890a5d-ac96-774b-bcce-b302099a8057", () => false],
      [`from=${at(5)}&to=${at(8)}`, (minute: number) => minute >= 5 && minute < 8],
      ["from=2026-01-01T14:05:00%2B02:00&to=2026-01-01T12:06:00Z", (minute: number) => minute === 5],
      ["userId=nobody", () => false],
    ])("filters by %s", async (query, keep) => {
      expect(contents((await get(`/api/v1/events?order=asc&${query}`)).body)).toEqual(expected(keep));
    });

    it.each(["asc", "desc"])(
      "leads through all pages and back by cursor and by Link header, %s",
      async (order) => {
        const inOrder = order === "asc" ? expected(() => true) : expected(() => true).reverse();
        const seen: unknown[] = [];
        const addresses: string[] = [];
        let address: string | undefined = `/api/v1/events?limit=7&order=${order}`;
        while (address !== undefined) {
          addresses.push(address);
          const { headers, body }: ApiResponse = await get(address);
          seen.push(...contents(body));
          address = /<([^>]+)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
          const cursor = new URLSearchParams(address?.split("?")[1]).get("cursor");
          expect(cursor).toBe(body.nextCursor ?? null);
        }
        expect(seen).toEqual(inOrder);
        const last = await get(addresses.at(-1) ?? "");
        const back = await get(`/api/v1/events?limit=7&order=${order}&cursor=${last.body.previousCursor}`);
        expect(contents(back.body)).toEqual(inOrder.slice(14, 21));
      },
    );

    it.each([
      ["frm=2026-01-01T00:00:00Z", "parameter-unknown", "frm"],
      ["__proto__=1", "parameter-unknown", "__proto__"],
      ["from=yesterday", "parameter-invalid", "from"],
      ["limit=0", "parameter-invalid", "limit"],
      ["limit=1001", "parameter-invalid", "limit"],
      ["limit=1&limit=2", "parameter-invalid", "limit"],
      ["order=random", "parameter-invalid", "order"],
      ["aggregateId=%00", "parameter-invalid", "aggregateId"],
      ["userId=", "parameter-invalid", "userId"],
      ["causationId=seven", "parameter-invalid", "causationId"],
      ["from=2026-01-01T00:00:00Z&data=[1]", "parameter-invalid", "data"],
      ['from=2026-01-01T00:00:00Z&data={"a"', "parameter-invalid", "data"],
      ['from=2026-01-01T00:00:00Z&data={"a":9007199254740993}', "parameter-invalid", "data"],
      ['data={"content":"note 7"}', "filter-too-wide", "data"],
      ["source=api", "filter-too-wide", "source"],
      [`validAt=${at(3)}&to=${at(4)}`, "filter-too-wide", "validAt"],
      ["knownAt=9999-12-31T23:59:59.999Z", "moment-in-future", "knownAt"],
      ["cursor=nonsense", "cursor-invalid", "cursor"],
      ["cursor=AAAA", "cursor-invalid", "cursor"],
    ])("refuses ?%s", async (query, code, path) => {
      const { status, body } = await get(`/api/v1/events?${query}`);
      expect([status, body.code, body.errors[0]?.path]).toEqual([400, code, path]);
    });

    it.each([
      ["type=note.creation.requestd", "type", 'did you mean "note.creation.requested"?'],
      ["type=note.creation.requested&type=note.creatoin.completed", "type", '"note.creation.completed"'],
      ["aggregateType=ntoe", "aggregateType", 'did you mean "note"?'],
    ])("refuses ?%s, which nothing has, with the names that are near", async (query, path, meant) => {
      const { status, body } = await get(`/api/v1/events?${query}`);
      expect([status, body.code, body.errors[0]?.path]).toEqual([400, "filter-unknown", path]);
      expect(body.detail).toContain(meant);
    });

    it("refuses the cursor of another query", async () => {
      const { body } = await get("/api/v1/events?limit=2&userId=ada");
      expect((await get(`/api/v1/events?limit=2&userId=ben&cursor=${body.nextCursor}`)).body.code).toBe(
        "cursor-invalid",
      );
    });
  });

  describe("GET /api/v1/events/{id}", () => {
    it("returns the event, whatever the case of the id", async () => {
      const id = stored[3]?.id ?? "";
      expect(await get(`/api/v1/events/${id.toUpperCase()}`)).toMatchObject({
        status: 200,
        body: { id, data: { content: "note 3" } },
      });
    });

    it.each(["01890a5d-ac96-774b-bcce-b302099a8057", "seven"])("knows no event %s", async (id) => {
      expect(await get(`/api/v1/events/${id}`)).toMatchObject({
        status: 404,
        body: { code: "event-not-found" },
      });
    });
  });

  describe("the other routes", () => {
    it("shows what runs and how far it is", async () => {
      const { status, body } = await get("/api/v1/status");
      expect(status).toBe(200);
      expect(body).toMatchObject({
        release: expect.stringMatching(/^\d/),
        engine,
        timescaledb: {
          version: expect.stringMatching(/^2\./),
          edition: expect.stringMatching(/^(community|apache)$/),
        },
        features: {
          auth: "active",
          database: "active",
          events: "active",
          agents: "pending",
          publish: "active",
          "api-keys": "active",
        },
        events: { stored: 25, lastPosition: expect.any(Number), watermark: expect.any(Number) },
        handlers: [],
        deadLetters: 0,
        publisher: { queuedEvents: 0 },
      });
      expect(body.events.watermark).toBeGreaterThanOrEqual(body.events.lastPosition);
    });

    it("is healthy, ready, and knows its way around", async () => {
      expect((await get("/healthz")).status).toBe(200);
      expect((await get("/readyz")).body).toEqual({
        status: "ok",
        checks: { database: "ok", migrations: "ok", write: "ok", broker: "ok", functions: "ok" },
        warnings: [{ code: "no-worker", detail: expect.any(String) }],
      });
      expect((await get("/")).body.routes.length).toBeGreaterThan(5);
      expect(await (await fetch(api.url, { headers: { accept: "text/html" } })).text()).toContain(
        "<h1>Synap",
      );
    });

    it.each([
      ["PUT", "/api/v1/events", "POST, GET, HEAD"],
      ["DELETE", "/api/v1/events/01890a5d-ac96-774b-bcce-b302099a8057", "GET, HEAD"],
      ["OPTIONS", "/api/v1/status", "GET, HEAD"],
      ["GET", "/api/v1/events/batch", "POST"],
    ])("answers %s %s with 405 and Allow", async (method, path, allow) => {
      const response = await fetch(`${api.url}${path}`, { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
      expect(await response.json()).toMatchObject({ code: "method-not-allowed" });
    });

    it("knows no event whose id is not a UUID", async () => {
      expect(await get("/api/v1/events/not-a-uuid")).toMatchObject({
        status: 404,
        body: { code: "event-not-found" },
      });
    });

    it("answers an unknown address with 404", async () => {
      expect(await get("/api/v2/events?x=1")).toMatchObject({
        status: 404,
        body: { code: "route-not-found" },
      });
    });

    it.each([
      ["/api/v1/event", 'did you mean "/api/v1/events"?'],
      ["/api/v1/open-loop", 'did you mean "/api/v1/open-loops"?'],
      ["/api/v1/stream/note/n1", 'did you mean "/api/v1/streams/note/n1"?'],
    ])("names the address that was meant: %s", async (path, meant) => {
      expect(await get(path)).toMatchObject({
        status: 404,
        body: { detail: expect.stringContaining(meant) },
      });
    });

    it("does not name the address itself, whose last part is empty", async () => {
      const { body } = await get("/api/v1/streams/note/");
      expect([body.code, body.detail]).toEqual([
        "route-not-found",
        expect.not.stringContaining("did you mean"),
      ]);
    });

    it("names the parameter that was meant", async () => {
      const detail = expect.stringContaining('"corelationId" (did you mean "correlationId"?)');
      expect(await get("/api/v1/events?corelationId=1")).toMatchObject({ body: { detail } });
    });
  });

  it("finds events of types that the application no longer has, and of types that another process has published", async () => {
    const ofPumps = <Name extends `pump.${string}`>(name: Name) =>
      defineEventType({ name, description: "A pump.", schema: z.strictObject({}), example: {} });
    const [retired, planned] = [ofPumps("pump.retired"), ofPumps("pump.planned")];
    const older = seedCatalogue.extend([retired]);
    const event = older.completeEvent({ type: retired.name, aggregateId: "p1", userId: "old", data: {} });
    await createEventStore({ database: api.database, catalogue: older }).append(event);
    for (const query of ["type=pump.retired", "aggregateType=pump"]) {
      const { status, body } = await get(`/api/v1/events?${query}`);
      expect([status, body.events?.map(({ id }) => id)]).toEqual([200, [event.id]]);
    }
    expect((await get(`/api/v1/events?type=${planned.name}`)).body.code).toBe("filter-unknown");
    await syncEventTypes(api.database, seedCatalogue.extend([planned]));
    expect(await get(`/api/v1/events?type=${planned.name}`)).toMatchObject({
      status: 200,
      body: { events: [] },
    });
  });
});
