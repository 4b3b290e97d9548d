import { createSynapEvent, type JsonObject, type StoredEvent, seedCatalogue } from "@synap/types";
import { CloudEvent, HTTP } from "cloudevents";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isBinaryMode, readBinaryCloudEvent, readCloudEvent } from "../acceptance/read-cloud-event.ts";
import { attributeOf, fromCloudEvent, toCloudEvent } from "./cloud-event.ts";

const rules = { catalogue: seedCatalogue, lateness: undefined, actor: undefined, trace: undefined };
const text = (maxLength: number) =>
  fc
    .string({ unit: "binary", minLength: 1, maxLength: maxLength / 2 })
    .filter((value) => !/[\0\p{Cs}]/u.test(value));
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const moment = fc
  .date({ min: new Date("1970-01-01"), max: new Date("2026-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString());

/** Metadata of any kind: anybody's own, what CloudEvents leave there, and what only looks like it. */
const attribute = fc.oneof(
  fc.string({ unit: "grapheme-ascii" }),
  fc.integer(),
  // No number of CloudEvents.
  fc.constantFrom(2 ** 31, -(2 ** 31) - 1, 2 ** 40, 1.5),
  fc.boolean(),
);
const keptLike = fc.dictionary(
  fc.constantFrom("id", "time", "datacontenttype", "dataschema", "comexample1", "subject", "Upper", "data"),
  fc.oneof(attribute, fc.constant("2020-01-01T00:00:00.123456Z"), fc.constant("application/x+json")),
);
const metadata: fc.Arbitrary<JsonObject> = fc
  .record(
    {
      cloudevents: fc.oneof(keptLike, fc.constant("text"), fc.constant({})),
      traceparent: fc.oneof(
        fc.constant("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        fc.integer(),
      ),
      tracestate: fc.oneof(fc.constant("a=1"), fc.constant("")),
      ip_address: fc.ipV4(),
      nested: fc.constant({ list: [1, { a: null }] }),
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.parse(JSON.stringify(value)));

const storedEvent: fc.Arbitrary<StoredEvent> = fc
  .record({
    id: fc.uuid({ version: [4, 5, 7] }),
    aggregateId: text(128).filter((id) => id !== "." && id !== ".."),
    content: text(200),
    userId: optional(text(64)),
    source: fc.oneof(
      text(64),
      fc.string({ unit: fc.constantFrom(..."ab1:/?#[]@%2F.+-"), minLength: 1, maxLength: 12 }),
      fc.constant("https://example.com/shop?a=%20"),
    ),
    timestamp: moment,
    requestId: optional(text(64)),
    correlationId: optional(text(64)),
    causationId: optional(fc.uuid({ version: 7 })),
    idempotencyKey: optional(text(64)),
    validFrom: optional(moment),
    metadata: optional(metadata),
    position: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  })
  .map(({ content, position, ...fields }) => ({
    ...createSynapEvent({ ...fields, type: "note.creation.requested", data: { content } }),
    position,
    streamVersion: 1,
    recordedAt: "2026-01-01T00:00:00.000Z",
  }));

/** The part of a stored event that was published. */
function published({ position: _, streamVersion: __, recordedAt: ___, ...event }: StoredEvent) {
  return event;
}

const accepted = (reading: ReturnType<typeof readCloudEvent>) =>
  reading.ok ? reading.event : reading.issues;

describe("an event as a CloudEvent", () => {
  it("comes back as it was, in structured mode", () => {
    fc.assert(
      fc.property(storedEvent, (stored) => {
        const sent: unknown = JSON.parse(JSON.stringify(toCloudEvent(stored)));
        expect(accepted(readCloudEvent(sent, rules))).toEqual(published(stored));
      }),
      { numRuns: 500 },
    );
  });

  it("is valid for the SDK, and comes back from its structured messages", () => {
    fc.assert(
      fc.property(storedEvent, (stored) => {
        const event = new CloudEvent(JSON.parse(JSON.stringify(toCloudEvent(stored))), true);
        const structured = HTTP.structured(event);
        expect(accepted(readCloudEvent(JSON.parse(String(structured.body)), rules))).toEqual(
          published(stored),
        );
      }),
    );
  });
});

describe("a CloudEvent of the SDK", () => {
  const event = new CloudEvent({
    id: "A234-1234-1234",
    source: "https://github.com/cloudevents?a=1,2",
    type: "note.creation.requested",
    subject: "n-1",
    time: "2026-11-05T17:31:00.000Z",
    dataschema: "https://example.com/schema",
    comexampleextension1: "value",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    data: { content: "Buy milk" },
  });

  it("becomes an event with an id of its own, always the same", () => {
    const { body } = HTTP.structured(event);
    const read = () => accepted(readCloudEvent(JSON.parse(String(body)), rules));
    expect(read()).toEqual(read());
    expect(read()).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5/),
      source: "https://github.com/cloudevents?a=1,2",
      aggregateType: "note",
      aggregateId: "n-1",
      timestamp: "2026-11-05T17:31:00.000Z",
      data: { content: "Buy milk" },
      metadata: {
        traceparent: event["traceparent"],
        cloudevents: {
          id: "A234-1234-1234",
          dataschema: "https://example.com/schema",
          comexampleextension1: "value",
        },
      },
    });
  });

  it("is read alike in binary mode", () => {
    const { headers, body } = HTTP.binary(event);
    const sent = new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(isBinaryMode(sent)).toBe(true);
    const { body: structured } = HTTP.structured(event);
    expect(accepted(readBinaryCloudEvent(sent, JSON.parse(String(body)), rules))).toEqual(
      accepted(readCloudEvent(JSON.parse(String(structured)), rules)),
    );
  });

  it("goes out with everything that it came with", () => {
    const { body } = HTTP.structured(event);
    const reading = readCloudEvent(JSON.parse(String(body)), rules);
    if (!reading.ok) throw new Error(JSON.stringify(reading.issues));
    const stored = {
      ...reading.event,
      position: 1,
      streamVersion: 1,
      recordedAt: "2026-01-01T00:00:00.000Z",
    };
    expect(toCloudEvent(stored)).toMatchObject(JSON.parse(String(body)));
  });

  it("keeps whole numbers of 32 bits", () => {
    const numbers = { comlargest: 2 ** 31 - 1, comsmallest: -(2 ** 31) };
    const sent = { specversion: "1.0", id: "1", source: "s", type: "note.creation.requested", ...numbers };
    const reading = readCloudEvent({ ...sent, data: { content: "x" } }, rules);
    expect(accepted(reading)).toMatchObject({ metadata: { cloudevents: numbers } });
  });

  it("keeps a time that is finer than a millisecond beside the event's own", () => {
    const fine = "2026-11-05T17:31:00.123456789+02:00";
    const sent = { specversion: "1.0", id: "1", source: "s", type: "note.creation.requested", time: fine };
    const reading = readCloudEvent({ ...sent, data: { content: "x" } }, rules);
    expect(accepted(reading)).toMatchObject({
      timestamp: "2026-11-05T15:31:00.123Z",
      metadata: { cloudevents: { time: fine } },
    });
  });
});

describe("a CloudEvent that can't be stored", () => {
  const valid = {
    specversion: "1.0",
    id: "1",
    source: "s",
    type: "note.creation.requested",
    data: { content: "x" },
  };
  const { data: _, ...withoutData } = valid;

  it.each([
    ["another version of the specification", { ...valid, specversion: "0.3" }, "specversion", "not-allowed"],
    ["no version", { ...valid, specversion: undefined }, "specversion", "missing"],
    ["no id", { ...valid, id: "" }, "id", "missing"],
    ["no source", { ...valid, source: null }, "source", "missing"],
    ["binary data", { ...withoutData, data_base64: "AAA=" }, "data_base64", "unknown-field"],
    ["no data", withoutData, "data", "missing"],
    ["data that is not JSON", { ...valid, datacontenttype: "text/xml" }, "datacontenttype", "not-allowed"],
    ["a name that is none", { ...valid, some_thing: 1 }, "some_thing", "unknown-field"],
    ["an attribute with structure", { ...valid, comexample: { a: 1 } }, "comexample", "wrong-type"],
    ["a number above 32 bits", { ...valid, comexample: 2 ** 31 }, "comexample", "wrong-type"],
    ["a number below 32 bits", { ...valid, comexample: -(2 ** 31) - 1 }, "comexample", "wrong-type"],
    ["a number that is not whole", { ...valid, comexample: 1.5 }, "comexample", "wrong-type"],
    ["an empty subject", { ...valid, subject: "" }, "subject", "too-small"],
    ["a time that is none", { ...valid, time: "yesterday" }, "time", "timestamp-format"],
    [
      "metadata that repeats a name",
      { ...valid, synapmetadata: '{"a":1,"a":2}' },
      "synapmetadata",
      "wrong-format",
    ],
  ])("with %s is refused by the name of its attribute", (_, sent, path, code) => {
    const reading = readCloudEvent(JSON.parse(JSON.stringify(sent)), rules);
    expect(reading.ok ? reading.event : reading.issues).toEqual([expect.objectContaining({ path, code })]);
  });

  it("has attributes for fields, and fields without one keep their name", () => {
    expect(["aggregateId", "timestamp", "createdBy", "data", "id"].map(attributeOf)).toEqual([
      "subject",
      "time",
      "createdby",
      "data",
      "id",
    ]);
    expect(fromCloudEvent({}, () => undefined).issues).toHaveLength(3);
  });
});
