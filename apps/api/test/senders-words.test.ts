import { randomUUID } from "node:crypto";
import { createEventStore } from "@synap/database/internal";
import { createSynapEvent, type EventIssue, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../testing/start-test-api.ts";
import { createTestKey } from "../testing/test-keys.ts";

const TYPE = "note.creation.requested";
const ONE = "application/cloudevents+json";
const TAKEN = randomUUID();

let api: TestApi;
let token: string;
beforeAll(async () => {
  api = await startTestApi();
  token = await createTestKey(api.database, "user", "ada", ["publish", "read"]);
  const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
  await store.appendBatch([
    createSynapEvent({
      id: TAKEN,
      type: TYPE,
      aggregateId: "bob-note",
      data: { content: "his" },
      userId: "bob",
    }),
  ]);
});
afterAll(() => api.stop());

async function call(path: string, { type, body }: { type?: string; body?: unknown } = {}) {
  const response = await fetch(`${api.url}/api/v1${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}`, ...(type !== undefined && { "content-type": type }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}
const paths = (issues: readonly EventIssue[]) => issues.map(({ path }) => path);
const json = "application/json";

const camel = { type: TYPE, data: { content: "mine" } };
const snake = { event_type: TYPE, data: { content: "mine" } };
const cloud = { specversion: "1.0", id: "c-1", source: "/shop", type: TYPE, data: { content: "mine" } };

/** An event in each spelling with a fault, the code of the problem, and the field as its sender has named it. */
const faults: [code: string, form: string, type: string, event: object, path: string][] = [
  ["stream-taken", "camel case", json, { ...camel, aggregateId: "bob-note" }, "aggregateId"],
  ["stream-taken", "snake case", json, { ...snake, aggregate_id: "bob-note" }, "aggregate_id"],
  ["stream-taken", "both spellings", json, { ...snake, aggregateId: "bob-note" }, "aggregateId"],
  ["stream-taken", "a CloudEvent", ONE, { ...cloud, subject: "bob-note" }, "subject"],
  ["event-id-conflict", "snake case", json, { ...snake, id: TAKEN }, "id"],
  ["event-id-conflict", "a CloudEvent", ONE, { ...cloud, id: TAKEN }, "id"],
  ["event-id-conflict", "a CloudEvent that is given back", ONE, { ...cloud, synapid: TAKEN }, "synapid"],
  ["not-yourself", "snake case", json, { ...snake, user_id: "bob" }, "user_id"],
  ["not-yourself", "a CloudEvent", ONE, { ...cloud, createdby: "user:bob" }, "createdby"],
  ["timestamp-too-old", "a CloudEvent", ONE, { ...cloud, time: "2001-01-01T00:00:00Z" }, "time"],
  ["event-invalid", "a snake case without data", json, { event_type: TYPE, user_id: "ada" }, "data"],
  ["event-invalid", "a snake case without a type", json, { data: {}, aggregate_type: "note" }, "event_type"],
  ["event-invalid", "a CloudEvent", ONE, { ...cloud, correlationid: "x".repeat(129) }, "correlationid"],
  ["event-invalid", "a CloudEvent", ONE, { ...cloud, synapid: "x" }, "synapid"],
  ["event-invalid", "a CloudEvent", ONE, { ...cloud, source: "x".repeat(65) }, "source"],
  ["event-invalid", "a CloudEvent", ONE, { ...cloud, synapsource: "x".repeat(65) }, "synapsource"],
  ["event-invalid", "a CloudEvent", ONE, { ...cloud, synapmetadata: '{"a":"\\u0000"}' }, "synapmetadata.a"],
  ["event-invalid", "a CloudEvent", ONE, { ...cloud, comexample: "\0" }, "comexample"],
  ["event-invalid", "a CloudEvent", ONE, { ...cloud, traceparent: "\0" }, "traceparent"],
];

describe("a problem names a field as the sender does", () => {
  it.each(faults)("%s, in %s, alone and in a batch", async (code, _, type, event, path) => {
    const single = await call("/events", { type, body: event });
    expect([single.body.code, paths(single.body.errors)]).toEqual([code, [path]]);
    expect(single.body.detail).toContain(`"${path}"`);
    const many = type === ONE ? "application/cloudevents-batch+json" : json;
    const { body } = await call("/events/batch", { type: many, body: [event] });
    expect([body.code, paths(body.results[0].issues)]).toEqual(["batch-rejected", [path]]);
  });

  it.each([
    [{ ...snake, correlation_id: "" }, "correlation_id"],
    [{ ...camel, correlationId: "" }, "correlationId"],
    [{ ...snake, user_id: "bob" }, "user_id"],
    [{ ...snake, valid_from: "x" }, "valid_from"],
    [{ ...snake, data: {} }, "data.content"],
  ])("in an append: %j", async (event, path) => {
    const append = { type: json, body: { events: [camel, event] } };
    const { body } = await call(`/streams/note/${randomUUID()}/events`, append);
    expect(paths(body.errors)).toEqual([`events[1].${path}`]);
    expect(body.detail).toContain(`events[1].${path}`);
  });

  it("in the body around an append", async () => {
    const append = { type: json, body: { events: [camel], expected_version: -1 } };
    const { body } = await call(`/streams/note/${randomUUID()}/events`, append);
    expect(body.detail).toMatch(/^expected_version /);
  });

  it.each([
    ["/events?aggregate_type=nothing", "filter-unknown", "aggregate_type"],
    ["/events?aggregateType=nothing", "filter-unknown", "aggregateType"],
    ["/events?event_type=nothing", "filter-unknown", "event_type"],
    ["/events?user_id=", "parameter-invalid", "user_id"],
    ["/events?causation_id=1&created_by=", "parameter-invalid", "causation_id"],
    ["/events?valid_at=2020-01-01T00:00:00Z", "filter-too-wide", "valid_at"],
    ["/events/stream?aggregate_id=a", "parameter-invalid", "aggregate_id"],
    ["/streams/note/x?from_version=-1", "parameter-invalid", "from_version"],
  ])("in the query %s", async (path, code, parameter) => {
    const { body } = await call(path);
    expect([body.code, body.errors[0].path]).toEqual([code, parameter]);
    expect(body.detail).toContain(`"${parameter}"`);
  });
});
