import type { JsonSchema } from "@synap/types/testing";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { CloudEvent } from "cloudevents";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

const SNAKE = 'application/json; profile="snake"';
const ONE = "application/cloudevents+json";
const MANY = "application/cloudevents-batch+json";

/** An event with every field that a sender can give. */
const FULL = {
  type: "note.creation.requested",
  data: { content: "Buy milk", someKey: { otherKey: 1 } },
  createdBy: "user:ada",
  userId: "ada",
  source: "https://example.com/shop",
  requestId: "request-1",
  correlationId: "flow-1",
  causationId: "01890a5d-ac96-774b-bcce-b302099a8057",
  idempotencyKey: "key-1",
  validFrom: "2026-01-01T00:00:00.000Z",
  validTo: "2027-01-01T00:00:00.000Z",
  metadata: {
    ipAddress: "192.168.1.1",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    cloudevents: { comexample: 7, dataschema: "https://example.com/schema" },
  },
};

let api: TestApi;
let id: string;
let paths: Record<string, Record<string, Operation>>;
/** Of the document, in which no object may have more members than it names. */
const strict = new Ajv2020({ strict: false });
addFormats.default(strict);

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }>
  >;
}

beforeAll(async () => {
  api = await startTestApi();
  const { someKey: _, ...data } = FULL.data;
  const events = [
    { ...FULL, data },
    { type: "note.creation.requested", data: { content: "x" } },
  ];
  const response = await fetch(`${api.url}/api/v1/streams/note/n-1/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ events }),
  });
  const stored = JSON.parse(await response.text());
  expect(response.status, JSON.stringify(stored)).toBe(201);
  id = stored.events[0].id;
  const document = JSON.parse(await (await fetch(`${api.url}/openapi.json`)).text());
  paths = document.paths;
  strict.addSchema(closed(document), "api");
});
afterAll(() => api.stop());

/** Closes every object with named members to others, but for attributes of senders. */
function closed(part: unknown): JsonSchema {
  return JSON.parse(JSON.stringify(part), (_, value) =>
    typeof value === "object" && value !== null && "properties" in value && !("additionalProperties" in value)
      ? { ...value, additionalProperties: false }
      : value,
  );
}

/** The reads that the document has in other representations, by operation, with an address of each. */
const READS = {
  "/api/v1/events": () => "/api/v1/events?aggregateType=note&limit=1",
  "/api/v1/events/stats": () => "/api/v1/events/stats",
  "/api/v1/events/types": () => "/api/v1/events/types?limit=3",
  "/api/v1/events/types/{name}": () => "/api/v1/events/types/order.placed",
  "/api/v1/events/aggregate/{type}/{id}/history": () => "/api/v1/events/aggregate/note/n-1/history?limit=1",
  "/api/v1/events/unprocessed": () => "/api/v1/events/unprocessed?limit=1",
  "/api/v1/events/{id}/processing": () => `/api/v1/events/${id}/processing`,
  "/api/v1/events/{id}": () => `/api/v1/events/${id}`,
  "/api/v1/traces/{correlationId}": () => "/api/v1/traces/flow-1",
  "/api/v1/streams/{aggregateType}/{aggregateId}": () => "/api/v1/streams/note/n-1",
  "/api/v1/aggregates/{type}/{id}": () => "/api/v1/aggregates/note/n-1",
} as const;

async function read(address: string, accept: string) {
  const response = await fetch(`${api.url}${address}`, {
    headers: { accept, authorization: `Bearer ${TOKEN}` },
  });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, accept]);
  return JSON.parse(await response.text());
}

const essenceOf = (type: string) => type.replace(/;.*/, "");

function validatorOf(path: string, media: string, { method = "get", status = "200" } = {}) {
  const pointer = ["paths", path, method, "responses", status, "content", media, "schema"]
    .map((step) => step.replaceAll("~", "~0").replaceAll("/", "~1"))
    .join("/");
  return strict.compile({ $ref: `api#/${encodeURI(pointer)}` });
}

describe("the document's other representations", () => {
  it("are of these reads", () => {
    const represented = Object.entries(paths)
      .filter(([, { get }]) => get?.responses["200"]?.content?.[SNAKE] !== undefined)
      .map(([path]) => path);
    expect(represented.toSorted()).toEqual(Object.keys(READS).toSorted());
  });

  it.each(Object.entries(READS))(
    "describe every name of %s in snake case, and no other",
    async (path, address) => {
      const validate = validatorOf(path, SNAKE);
      const snake = await read(address(), SNAKE);
      validate(snake);
      expect(validate.errors ?? []).toEqual([]);
      const camel = await read(address(), "application/json");
      // These answers have no name of two words, or nothing at all.
      if (JSON.stringify(camel) === JSON.stringify(snake)) return;
      expect(validate(camel)).toBe(false);
    },
  );

  it("are those of what changes streams and aggregates too", async () => {
    const post = async (path: string, body: object, accept: string) => {
      const response = await fetch(`${api.url}/api/v1${path}`, {
        method: "POST",
        headers: { accept, "content-type": "application/json", authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify(body),
      });
      expect([response.status < 300, response.headers.get("content-type")]).toEqual([true, accept]);
      return JSON.parse(await response.text());
    };
    const event = { type: "note.creation.requested", data: { content: "x" } };
    const stay = { guestId: "g", startDate: "2031-01-01" };
    const calls: [string, string, object][] = [
      ["/streams/{aggregateType}/{aggregateId}/events", "/streams/note/n-2/events", { events: [event] }],
      ["/streams/{aggregateType}/{aggregateId}/close", "/streams/note/n-2/close", {}],
      ["/reservations/{id}/create", "/reservations/r-2/create", { data: stay }],
    ];
    for (const [path, address, body] of calls) {
      const status = path.endsWith("/close") ? "200" : "201";
      const validate = validatorOf(`/api/v1${path}`, SNAKE, { method: "post", status });
      const answer = await post(address, body, SNAKE);
      validate(answer);
      expect(validate.errors ?? []).toEqual([]);
      expect(JSON.stringify(answer)).toContain("aggregate_type");
    }
    const { state } = await read("/api/v1/aggregates/reservation/r-2", SNAKE);
    expect(state).toMatchObject(stay);
  });

  it.each([
    [`${ONE}, ${SNAKE};q=0.5`, SNAKE],
    [`${ONE}, application/json;q=0.4, ${SNAKE};q=0.5`, SNAKE],
    [`*/*, ${MANY}`, MANY],
    [`${MANY};q=0.5, */*`, "application/json"],
    [`${MANY};q=0.5, application/*;q=0.6`, "application/json"],
    [`${MANY};q=0, text/html`, "application/json"],
    ["text/html", "application/json"],
  ])("are chosen among those that the response has: %s", async (accept, expected) => {
    const response = await fetch(`${api.url}/api/v1/events?limit=1`, { headers: { accept } });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, expected]);
  });

  it("are the only ones: every other answer has its own form, whatever is asked for", async () => {
    const single = Object.entries(paths).filter(
      ([path, { get }]) => get !== undefined && !path.includes("{") && !(path in READS),
    );
    expect(single.length).toBeGreaterThan(10);
    const today = new Date().toISOString().slice(0, 10);
    for (const [path, { get }] of single) {
      // It does not end, and the index is a page of HTML too.
      if (path === "/api/v1/events/stream" || path === "/") continue;
      const query = path.endsWith("/compliance") ? `?from=${today}&to=${today}` : "?";
      const types = [];
      for (const accept of ["*/*", ONE, "text/html", SNAKE]) {
        const address = `${api.url}${path}${path.endsWith("/open-loops") ? "?owner=a" : query}`;
        const response = await fetch(address, { headers: { accept, authorization: `Bearer ${TOKEN}` } });
        await response.arrayBuffer();
        types.push(response.headers.get("content-type"));
        expect([path, response.status]).not.toEqual([path, 406]);
        const documented = Object.keys(get?.responses[String(response.status)]?.content ?? {});
        expect([path, documented.map(essenceOf)]).toEqual([
          path,
          expect.arrayContaining([essenceOf(types.at(-1) ?? "")]),
        ]);
      }
      expect([path, new Set(types).size]).toEqual([path, 1]);
    }
  });

  it("leave names inside data and metadata as they are", async () => {
    const { metadata } = await read(`/api/v1/events/${id}`, SNAKE);
    expect(metadata).toEqual(FULL.metadata);
  });

  it.each([
    ["/api/v1/events/{id}", ONE],
    ["/api/v1/events", MANY],
    ["/api/v1/events/aggregate/{type}/{id}/history", MANY],
    ["/api/v1/streams/{aggregateType}/{aggregateId}", MANY],
  ] as const)("describe the CloudEvents of %s", async (path, media) => {
    const validate = validatorOf(path, media);
    const answer = await read(READS[path](), media);
    validate(answer);
    expect(validate.errors ?? []).toEqual([]);
    for (const event of [answer].flat()) {
      expect(() => new CloudEvent(event, true)).not.toThrow();
      const { subject: _, ...without } = event;
      expect(validate(media === MANY ? [without] : without)).toBe(false);
      const asNumber = { ...event, position: Number(event.position) };
      expect(validate(media === MANY ? [asNumber] : asNumber)).toBe(false);
    }
  });
});
