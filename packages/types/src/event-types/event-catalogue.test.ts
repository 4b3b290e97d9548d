import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  completeEvent,
  createSynapEvent,
  safeParseSynapEvent,
  seedCatalogue,
  validateEventData,
} from "../catalogue/seed-catalogue.ts";
import { type EventIssue, EventValidationError } from "../issues/event-issue.ts";
import { defineEventType } from "./define-event-type.ts";
import { createEventCatalogue } from "./event-catalogue.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const note = { type: "note.creation.requested", data: { content: "Hello" } } as const;
const event = createSynapEvent(note);

const issuesOf = (value: unknown): readonly EventIssue[] => {
  const reading = safeParseSynapEvent(value);
  return reading.ok ? [] : reading.issues;
};
const faultsOf = (value: unknown) => issuesOf(value).map(({ path, code }) => `${path} ${code}`);

describe("createSynapEvent", () => {
  it("fills in every field except the type and the data", () => {
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

  it("defaults createdBy to the user", () => {
    expect(createSynapEvent({ ...note, userId: "u-1" }).createdBy).toBe("user:u-1");
    expect(createSynapEvent({ ...note, userId: "u-1", createdBy: "agent:filer" }).createdBy).toBe(
      "agent:filer",
    );
  });

  it("treats undefined as absent", () => {
    const made = createSynapEvent({ ...note, userId: undefined, metadata: undefined, id: undefined });
    expect(Object.values(made)).not.toContain(undefined);
  });

  it("names the invalid field", () => {
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

  it("refuses unknown fields, since a misspelt one would be lost", () => {
    expect(issuesOf({ ...event, corelationId: "c" })).toEqual([
      {
        path: "corelationId",
        code: "unknown-field",
        reason: 'is not a field of an event (did you mean "correlationId"?)',
      },
    ]);
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

  it("adds an application's types to the seed types, and leaves the seed catalogue unchanged", () => {
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

  it("refuses a duplicate name", () => {
    const twice = expect.objectContaining({ code: "EVENT_TYPE_DUPLICATE", eventType: "earthquake.recorded" });
    expect(() => catalogue.extend([earthquakeRecorded])).toThrow(twice);
    expect(() => createEventCatalogue([earthquakeRecorded, earthquakeRecorded])).toThrow(twice);
  });

  it("infers the aggregate type of an unknown type from the name", () => {
    expect(completeEvent({ type: "ship.sailed", data: {} }).aggregateType).toBe("ship");
  });

  it("accepts another nesting limit", () => {
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
  it("returns the same data object", () => {
    const data = { content: "Hello" };
    expect(validateEventData("note.creation.requested", data)).toBe(data);
  });

  it("names the invalid field with a path that begins with data", () => {
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

  it("reports an issue when the schema itself throws, whatever it throws", () => {
    for (const thrown of [new Error("no"), undefined, Symbol("s"), Object.create(null)]) {
      let throws = false;
      const picky = defineEventType({
        name: "thing.happened",
        description: "Something happened.",
        schema: z.strictObject({ size: z.number() }).refine(() => {
          if (throws) throw thrown;
          return true;
        }),
        example: { size: 1 },
      });
      throws = true;
      const reading = createEventCatalogue([picky]).safeParseSynapEvent({
        ...createSynapEvent({ type: "note.creation.requested", data: { content: "x" } }),
        type: "thing.happened",
        aggregateType: "thing",
        data: { size: 1 },
      });
      expect(reading).toMatchObject({ ok: false, issues: [{ path: "data", code: "schema-failed" }] });
    }
  });
});
