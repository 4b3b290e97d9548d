import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineEventType } from "./define-event-type.ts";
import { createEventCatalogue } from "./event-catalogue.ts";
import { type EventIssue, EventValidationError } from "./event-issue.ts";
import {
  completeEvent,
  createSynapEvent,
  parseSynapEvent,
  safeParseSynapEvent,
  seedCatalogue,
  validateEventData,
} from "./seed-catalogue.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const note = { type: "note.creation.requested", data: { content: "Hello" } } as const;
const event = createSynapEvent(note);

const issuesOf = (value: unknown): readonly EventIssue[] => {
  const reading = safeParseSynapEvent(value);
  return reading.ok ? [] : reading.issues;
};
const faultsOf = (value: unknown) => issuesOf(value).map(({ path, code }) => `${path} ${code}`);

describe("createSynapEvent", () => {
  it("fills in everything but the type and the data", () => {
    const before = Date.now();
    const made = createSynapEvent(note);
    expect(made).toEqual({
      ...note,
      id: expect.stringMatching(UUID_V7),
      version: "v1",
      aggregateType: "note",
      aggregateId: expect.stringMatching(UUID_V7),
      createdBy: "system",
      source: "api",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(Date.parse(made.timestamp)).toBeGreaterThanOrEqual(before);
    expect(made.id < createSynapEvent(note).id).toBe(true);
  });

  it("takes the user for the maker unless somebody else is named", () => {
    expect(createSynapEvent({ ...note, userId: "u-1" }).createdBy).toBe("user:u-1");
    expect(createSynapEvent({ ...note, userId: "u-1", createdBy: "agent:filer" }).createdBy).toBe(
      "agent:filer",
    );
  });

  it("treats undefined as left out", () => {
    const made = createSynapEvent({ ...note, userId: undefined, metadata: undefined, id: undefined });
    expect(Object.values(made)).not.toContain(undefined);
  });

  it("names the field at fault", () => {
    const wrong: unknown = { content: 7 };
    const create = () => Reflect.apply(createSynapEvent, undefined, [{ ...note, data: wrong }]);
    expect(create).toThrow(EventValidationError);
    expect(create).toThrow(
      expect.objectContaining({
        code: "EVENT_INVALID",
        issues: [{ path: "data.content", code: "wrong-type", reason: expect.stringContaining("string") }],
        message: expect.stringContaining("data.content"),
      }),
    );
  });

  it("refuses fields it does not know, as a misspelt one would be lost", () => {
    expect(issuesOf({ ...event, corelationId: "c" })).toEqual([
      { path: "corelationId", code: "unknown-field", reason: "is not a field of an event" },
    ]);
  });
});

describe("parseSynapEvent", () => {
  it("puts timestamps and UUIDs into their one form and leaves the rest alone", () => {
    const data = { content: " Hello  " };
    const metadata = { trace: { span: 1 } };
    const parsed = parseSynapEvent({
      ...event,
      id: event.id.toUpperCase(),
      causationId: event.id.toUpperCase(),
      timestamp: "2026-01-01T01:00:00+01:00",
      validFrom: "2026-01-01T00:00:00Z",
      validTo: "2026-01-01T01:00:00+00:30",
      data,
      metadata,
    });
    expect(parsed).toMatchObject({
      id: event.id,
      causationId: event.id,
      timestamp: "2026-01-01T00:00:00.000Z",
      validFrom: "2026-01-01T00:00:00.000Z",
      validTo: "2026-01-01T00:30:00.000Z",
    });
    expect(parsed.data).toBe(data);
    expect(parsed.metadata).toBe(metadata);
  });

  it("reports everything that is wrong at once", () => {
    const wrong = {
      ...event,
      id: "1",
      version: "v2",
      aggregateId: "",
      userId: "x".repeat(129),
      createdBy: "me",
      timestamp: "2026-02-30T00:00:00Z",
      data: { content: "", colour: "red" },
      metadata: { bad: "\0" },
    };
    expect(faultsOf(wrong).sort()).toEqual([
      "aggregateId too-small",
      "createdBy wrong-format",
      "data.colour unknown-field",
      "data.content too-small",
      "id wrong-format",
      "metadata.bad nul-character",
      "timestamp timestamp-impossible",
      "userId too-big",
      "version not-allowed",
    ]);
  });

  it.each([
    ["no object", null, " wrong-type"],
    ["an array", [], " wrong-type"],
    ["text", "event", " wrong-type"],
    ["an unknown type", { ...event, type: "note.unheard.of" }, "type unknown-event-type"],
    ["a type of another form", { ...event, type: "Note" }, "type wrong-format"],
    ["data that is no object", { ...event, data: [1] }, "data wrong-type"],
    ["no data", { ...event, data: undefined }, "data missing"],
    ["metadata that is no object", { ...event, metadata: "text" }, "metadata wrong-type"],
    [
      "another aggregate type than its own",
      { ...event, aggregateType: "order" },
      "aggregateType aggregate-type-mismatch",
    ],
    ["half a surrogate pair", { ...event, aggregateId: "\ud83d" }, "aggregateId lone-surrogate"],
    ["a NUL", { ...event, idempotencyKey: "a\0" }, "idempotencyKey nul-character"],
    ["a causation that is no id", { ...event, causationId: "earlier" }, "causationId wrong-format"],
    [
      "a prototype key",
      JSON.parse(`{"__proto__":{},${JSON.stringify(event).slice(1)}`),
      "__proto__ prototype-key",
    ],
    [
      "microseconds",
      { ...event, timestamp: "2026-01-01T00:00:00.000001Z" },
      "timestamp timestamp-too-precise",
    ],
    [
      "an empty validity",
      { ...event, validFrom: "2026-01-01T00:00:00Z", validTo: "2026-01-01T01:00:00+01:00" },
      "validTo validity-empty",
    ],
  ])("refuses %s", (_, value, fault) => {
    expect(faultsOf(value)).toContain(fault);
    expect(() => parseSynapEvent(value)).toThrow(EventValidationError);
  });

  it("refuses data nested a million deep without running out of stack", () => {
    let deep: unknown = "bottom";
    for (let level = 0; level < 1_000_000; level += 1) deep = [deep];
    expect(faultsOf({ ...event, data: { content: "Hello", deep } })).toHaveLength(1);
    expect(faultsOf({ ...event, data: deep })).toEqual(["data wrong-type"]);
    expect(faultsOf({ ...event, metadata: { deep } })[0]).toMatch(/^metadata\.deep\[0].* too-deep$/);
  });

  it("keeps its answer small however much is wrong", () => {
    const data = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, index]));
    expect(issuesOf({ ...event, data: { ...data, content: "Hello" } }).length).toBeLessThanOrEqual(100);
  });
});

describe("laws", () => {
  const json = fc.dictionary(
    fc.string({ unit: "grapheme" }).filter((key) => key !== "__proto__" && !key.includes("\0")),
    fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.string({ unit: "grapheme-ascii" })),
  );
  const word = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 60 });
  const inputs = fc
    .record(
      {
        aggregateId: word,
        userId: word,
        source: word,
        requestId: word,
        correlationId: word,
        causationId: fc.uuid().map((id) => id.toUpperCase()),
        idempotencyKey: word,
        timestamp: fc
          .date({ min: new Date(0), max: new Date("9998-01-01"), noInvalidDate: true })
          .map((date) => date.toISOString().replace("Z", "-03:00")),
        metadata: json,
      },
      { requiredKeys: [] },
    )
    .chain((fields) =>
      fc
        .constantFrom(...seedCatalogue.types)
        .map(({ name, example }) => ({ ...fields, type: name, data: example })),
    );
  const create = (input: unknown) => Reflect.apply(createSynapEvent, undefined, [input]);

  it("an event made, written as JSON and read again is the same event", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const made = create(input);
        expect(parseSynapEvent(JSON.parse(JSON.stringify(made)))).toEqual(made);
      }),
    );
  });

  it("reading what was read changes nothing", () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const once = parseSynapEvent(completeEvent(input));
        expect(parseSynapEvent(once)).toEqual(once);
      }),
    );
  });

  it("whatever comes in, the answer is an event or issues with path, code and reason", () => {
    const anyField = fc.dictionary(fc.constantFrom(...Object.keys(event), "extra"), fc.anything());
    fc.assert(
      fc.property(anyField, (fields) => {
        for (const issue of issuesOf({ ...event, ...fields })) {
          expect(issue).toEqual({
            path: expect.any(String),
            code: expect.stringMatching(/^[a-z]+(-[a-z]+)*$/),
            reason: expect.stringMatching(/./),
          });
        }
      }),
    );
  });
});

describe("a catalogue", () => {
  const earthquakeRecorded = defineEventType({
    name: "earthquake.recorded",
    aggregateType: "seismometer",
    description: "A seismometer network located an earthquake.",
    schema: z.strictObject({ magnitude: z.number(), place: z.string() }),
    example: { magnitude: 4.6, place: "12 km N of Example" },
  });
  const catalogue = seedCatalogue.extend([earthquakeRecorded]);

  it("knows an application's own types beside the seed types, and leaves the seed catalogue as it was", () => {
    const quake = catalogue.createSynapEvent({
      type: "earthquake.recorded",
      data: earthquakeRecorded.example,
    });
    expect(quake.aggregateType).toBe("seismometer");
    expect(catalogue.parseSynapEvent(quake)).toEqual(quake);
    expect(catalogue.has("note.creation.requested")).toBe(true);
    expect(catalogue.get("earthquake.recorded")).toBe(earthquakeRecorded);
    expect(catalogue.types).toHaveLength(seedCatalogue.types.length + 1);
    expect(seedCatalogue.has("earthquake.recorded")).toBe(false);
    expect(faultsOf(quake)).toEqual(["type unknown-event-type"]);
  });

  it("refuses a name twice", () => {
    const twice = expect.objectContaining({ code: "EVENT_TYPE_DUPLICATE", eventType: "earthquake.recorded" });
    expect(() => catalogue.extend([earthquakeRecorded])).toThrow(twice);
    expect(() => createEventCatalogue([earthquakeRecorded, earthquakeRecorded])).toThrow(twice);
  });

  it("infers the aggregate type of a type it does not know from the name", () => {
    expect(completeEvent({ type: "ship.sailed", data: {} }).aggregateType).toBe("ship");
  });

  it("takes another limit for nesting", () => {
    const anything = defineEventType({
      name: "thing.happened",
      description: "Something happened.",
      schema: z.strictObject({ inside: z.json() }),
      example: { inside: 1 },
    });
    const shallow = createEventCatalogue([anything], { maxDepth: 2 });
    const data = { inside: [[1]] };
    expect(() => shallow.createSynapEvent({ type: "thing.happened", data })).toThrow("deeper than 2");
    expect(() => shallow.extend([earthquakeRecorded]).validateEventData("thing.happened", data)).toThrow(
      "deeper",
    );
    expect(createEventCatalogue([anything]).createSynapEvent({ type: "thing.happened", data }).data).toBe(
      data,
    );
  });
});

describe("validateEventData", () => {
  it("gives the data back, the very same", () => {
    const data = { content: "Hello" };
    expect(validateEventData("note.creation.requested", data)).toBe(data);
  });

  it("names the field at fault, from data on", () => {
    const validate = () =>
      validateEventData("order.created", { customerId: "c", total: 1, lines: [{ sku: "s" }] });
    expect(validate).toThrow(
      expect.objectContaining({
        issues: [
          { path: "data.lines[0].quantity", code: "missing", reason: "is required" },
          { path: "data.lines[0].unitPrice", code: "missing", reason: "is required" },
        ],
      }),
    );
  });
});
