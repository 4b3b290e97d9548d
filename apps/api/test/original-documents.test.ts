import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

// The request bodies of the original document of this API, as they are in it. Where it writes "uuid", "uuid-here" or "...", a
// value stands here; it lists three forms of `created_by` in one place, so that body is here three times.
const AGGREGATE = "123e4567-e89b-12d3-a456-426614174000";
const CAUSE = "01890a5d-ac96-774b-bcce-b302099a8057";
const PUMP = { sku: "SUBM-05HP-DOM-SS-50LPM-20M", name: "0.5HP Submersible Pump", base_price: 5999.0 };

const setup = {
  event_type: "product.created",
  aggregate_type: "product",
  aggregate_id: AGGREGATE,
  data: PUMP,
  created_by: "user:test",
};
const format = (created_by: string) => ({
  event_type: "product.created",
  aggregate_type: "product",
  aggregate_id: AGGREGATE,
  data: PUMP,
  metadata: { ip_address: "192.168.1.1", user_agent: "Mozilla/5.0...", source: "web_ui" },
  created_by,
  correlation_id: AGGREGATE,
  causation_id: CAUSE,
  idempotency_key: `unique-key-${created_by}`,
});
const good = {
  event_type: "price.changed",
  data: { old_price: 5999.0, new_price: 5499.0, reason: "competitor_match", effective_date: "2025-10-27" },
};
const bad = { event_type: "price.changed", data: { new_price: 5499.0 } };
const placed = {
  event_type: "order.placed",
  data: { customer_id: "customer-1", lines: [{ sku: PUMP.sku, quantity: 1, unit_price: 5999 }], total: 5999 },
};
const correlated = {
  event_type: "order.created",
  correlation_id: "order-flow-123",
  data: { customerId: "customer-1", lines: [{ sku: PUMP.sku, quantity: 1, unitPrice: 5999 }], total: 5999 },
};
const paid = {
  event_type: "payment.received",
  correlation_id: "order-flow-123",
  causation_id: CAUSE,
  data: { amount: 5999, method: "card" },
};
const proposed = {
  event_type: "agent.decision_proposed",
  created_by: "agent:category_agent",
  data: { decisionId: "d-1", action: "lower the price", reasoning: "a competitor did", confidence: 0.8 },
};

const EXAMPLES: readonly [string, Record<string, unknown>][] = [
  ["the event of the set-up", setup],
  ["the structure, by a person", format(`user:${AGGREGATE}`)],
  ["the structure, by an agent", format("agent:category_agent")],
  ["the structure, by the system", format("system")],
  ["a self-contained price.changed", good],
  ["order.placed", placed],
  ["the first event of a flow", correlated],
  ["what it caused", paid],
  ["agent.decision_proposed", proposed],
];

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const SNAKE = { accept: 'application/json; profile="snake"' };

async function post(path: string, body: unknown) {
  const response = await fetch(`${api.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

async function get(path: string, headers: Record<string, string> = SNAKE) {
  const response = await fetch(`${api.url}${path}`, { headers });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

describe("the examples of the original document", () => {
  it.each(EXAMPLES)("%s is accepted", async (_, example) => {
    expect(await post("/api/v1/events", example)).toMatchObject({
      status: 202,
      body: { status: "accepted" },
    });
  });

  it("all are accepted in a batch, and as NDJSON", async () => {
    const events = EXAMPLES.map(([, { idempotency_key: _, ...example }]) => example);
    const batch = await post("/api/v1/events/batch", events);
    expect(batch.body.results.map(({ status }: { status: string }) => status)).toEqual(
      events.map(() => "accepted"),
    );
    const response = await fetch(`${api.url}/api/v1/events/batch`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: events.map((event) => JSON.stringify(event)).join("\n"),
    });
    expect(response.status).toBe(202);
  });

  it("its bad example is refused, and says what is missing", async () => {
    const { status, body } = await post("/api/v1/events", bad);
    expect(status).toBe(422);
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(["data.old_price", "data.reason"]);
  });

  it("are stored as they were sent, and answered so to those who ask", async () => {
    const stream = `/api/v1/streams/product/${AGGREGATE}`;
    const { aggregate_type: _, aggregate_id: __, ...event } = format("agent:category_agent");
    const { event_type, data, metadata, created_by, correlation_id } = event;
    expect((await post(`${stream}/events`, { events: [event] })).status).toBe(201);
    const expected = { ...format("agent:category_agent"), source: "api", version: "v1" };

    const page = await get(stream);
    expect(page.headers.get("content-type")).toBe('application/json; profile="snake"');
    expect(page.headers.get("vary")).toBe("accept");
    expect(page.body).toMatchObject({ stream_version: 1, events: [expected] });
    const [{ id, position }] = page.body.events;
    expect((await get(`/api/v1/events/${id}`)).body).toMatchObject({
      id,
      position,
      ...expected,
      stream_version: 1,
    });
    expect((await get(`/api/v1/events/${id}?caused=1`)).body.caused).toEqual({ events: [] });
    expect((await get(`/api/v1/events/aggregate/product/${AGGREGATE}/history`)).body.events).toEqual(
      page.body.events,
    );
    expect((await get(`/api/v1/traces/${correlation_id}`)).body).toMatchObject({
      correlation_id,
      nodes: [{ depth: 0, event: expected }],
    });
    expect(
      (await get(`/api/v1/events?aggregate_id=${AGGREGATE}&event_type=${event_type}`)).body.events,
    ).toEqual(page.body.events);

    const camel = await get(`/api/v1/events/${id}`, {});
    expect(camel.headers.get("content-type")).toBe("application/json");
    expect(camel.body).toMatchObject({ type: event_type, createdBy: created_by, data, metadata });
  });

  it("are answered from the catalogue and the statistics too, with an ETag of their own", async () => {
    const { body, headers } = await get("/api/v1/events/types/order.placed");
    expect(body).toMatchObject({
      name: "order.placed",
      aggregate_type: "order",
      json_schema: { type: "object" },
    });
    const camel = await get("/api/v1/events/types/order.placed", {});
    expect(camel.headers.get("etag")).not.toBe(headers.get("etag"));
    expect((await get("/api/v1/events/types?limit=1")).body).toHaveProperty("event_types");
    expect((await get("/api/v1/events/stats")).body).toHaveProperty("by_type");
  });
});

describe("two spellings", () => {
  it("of one field are refused, over each way in", async () => {
    const event = { ...placed, type: "order.placed" };
    const fault = { path: "event_type", code: "spelt-twice" };
    expect(await post("/api/v1/events", event)).toMatchObject({ status: 422, body: { errors: [fault] } });
    expect(await post("/api/v1/events/batch", [event])).toMatchObject({
      status: 422,
      body: { results: [fault] },
    });
    expect(await post("/api/v1/streams/order/o-1/events", { events: [event] })).toMatchObject({
      status: 422,
      body: { errors: [{ ...fault, path: "events[0].event_type" }] },
    });
  });

  it("are read in the expected version of an append, but not both", async () => {
    const append = (more: object) => post("/api/v1/streams/order/o-2/events", { events: [placed], ...more });
    expect((await append({ expected_version: "no-stream" })).status).toBe(201);
    expect((await append({ expected_version: 0 })).body.code).toBe("optimistic-lock");
    const both = await append({ expected_version: 1, expectedVersion: 1 });
    expect([both.status, both.body.code]).toEqual([400, "batch-invalid"]);
  });

  it("of one parameter are refused", async () => {
    const { status, body } = await get("/api/v1/events?aggregate_type=order&aggregateType=order");
    expect([status, body.code]).toEqual([400, "parameter-invalid"]);
  });

  it("do not let anybody act for others", async () => {
    const token = await createTestKey(api.database, "user", "ada");
    const response = await fetch(`${api.url}/api/v1/events`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ ...placed, created_by: "user:bob", user_id: "bob" }),
    });
    const body = JSON.parse(await response.text());
    expect([
      response.status,
      body.errors.map(({ path, code }: { path: string; code: string }) => [path, code]),
    ]).toEqual([
      403,
      [
        ["user_id", "not-yourself"],
        ["created_by", "not-yourself"],
      ],
    ]);
  });
});
