import { describe, expect, it } from "vitest";
import { z } from "zod";
import { frozenCopy } from "../json/frozen-copy.ts";
import { defineEventType } from "./define-event-type.ts";
import { createEventCatalogue } from "./event-catalogue.ts";
import { EventUpcastError } from "./upcast-event.ts";

const orderPlaced = defineEventType({
  name: "order.placed",
  description: "A customer placed an order.",
  version: 3,
  schema: z.strictObject({ cents: z.int(), currency: z.string() }),
  example: { cents: 1250, currency: "EUR" },
  upcast: {
    1: { schema: z.strictObject({ total: z.string() }), up: ({ total }) => ({ total: Number(total) }) },
    2: {
      schema: z.strictObject({ total: z.number() }),
      up: ({ total }) => ({ cents: Math.round(total * 100), currency: "EUR" }),
    },
  },
});
const orderPaid = defineEventType({
  name: "order.paid",
  description: "A customer paid.",
  schema: z.strictObject({ cents: z.int() }),
  example: { cents: 1 },
});
const catalogue = createEventCatalogue([orderPlaced, orderPaid]);
const event = catalogue.createSynapEvent({ type: "order.paid", data: { cents: 1 } });
const placed = (schemaVersion: number | undefined, data: object) =>
  frozenCopy({ ...event, type: "order.placed", data: { ...data }, ...(schemaVersion && { schemaVersion }) });

describe("an event that is read", () => {
  it.each([
    ["of version 1, which names none", placed(undefined, { total: "12.5" })],
    ["of version 2", placed(2, { total: 12.5 })],
  ])("%s, has the data and the number of the current version, and is otherwise as it was", (_, old) => {
    const before = structuredClone(old);
    expect(catalogue.upcast(old)).toEqual({
      ...old,
      schemaVersion: 3,
      data: { cents: 1250, currency: "EUR" },
    });
    expect(old).toEqual(before);
  });

  it("is the same object if nothing has to be done, or nothing is known", () => {
    const same = [
      placed(3, { cents: 1, currency: "EUR" }),
      placed(4, { from: "the future" }),
      event,
      { ...event, type: "order.unknown" },
    ];
    for (const each of same) expect(catalogue.upcast(each)).toBe(each);
    const once = catalogue.upcast(placed(2, { total: 1 }));
    expect(catalogue.upcast(once)).toBe(once);
  });

  it("is newer than a catalogue that has no such version", () => {
    expect(catalogue.isNewer(placed(4, {}))).toBe(true);
    expect(catalogue.isNewer(placed(3, {}))).toBe(false);
    expect(catalogue.isNewer({ ...event, schemaVersion: 2 })).toBe(true);
    expect(catalogue.isNewer({ ...event, type: "order.unknown", schemaVersion: 2 })).toBe(false);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no total");
      },
      "threw: no total",
    ],
    ["gives nothing", () => undefined, "gave no object"],
    ["gives a list", () => [], "gave no object"],
    ["is asynchronous", async () => ({ cents: 1, currency: "EUR" }), "gave no object"],
  ])("names a step that %s", (_, up, reason) => {
    const bad = { version: 3, earlier: orderPlaced.earlier.map((step) => ({ ...step, up })) };
    const catalogueWith = createEventCatalogue([Object.assign({}, orderPlaced, bad)]);
    const old = placed(2, { total: 1 });
    try {
      catalogueWith.upcast(old);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(EventUpcastError);
      expect(error).toMatchObject({
        code: "EVENT_UPCAST_FAILED",
        eventType: "order.placed",
        schemaVersion: 2,
        eventId: old.id,
      });
      expect(String(error)).toContain(`step from version 2 ${reason}`);
    }
  });
});

describe("an event that is written", () => {
  const issuesOf = (input: object) => {
    const reading = catalogue.safeParseSynapEvent({ ...event, ...input });
    return reading.ok ? "accepted" : reading.issues.map(({ path, code }) => `${path}: ${code}`);
  };

  it("has the current version if a program with the catalogue makes it", () => {
    const made = catalogue.createSynapEvent({ type: "order.placed", data: { cents: 1, currency: "EUR" } });
    expect(made.schemaVersion).toBe(3);
    expect("schemaVersion" in catalogue.createSynapEvent({ type: "order.paid", data: { cents: 1 } })).toBe(
      false,
    );
    expect(catalogue.validateEventData("order.placed", { cents: 1, currency: "EUR" })).toBeDefined();
  });

  it("is checked against the schema of its version, and kept as it is", () => {
    const complete = placed(2, { total: 12.5 });
    expect(catalogue.parseSynapEvent(complete)).toEqual(complete);
    expect(catalogue.parseSynapEvent({ ...complete, timestamp: "2026-01-01T01:00:00+01:00" })).toMatchObject({
      schemaVersion: 2,
      data: { total: 12.5 },
    });
    expect(issuesOf({ type: "order.placed", schemaVersion: 2, data: { total: "12.5" } })).toEqual([
      "data.total: wrong-type",
      "schemaVersion: schema-version-older",
    ]);
  });

  it("is of version 1 if it names none, which the issues of other data say", () => {
    const first = placed(undefined, { total: "12.5" });
    expect(catalogue.parseSynapEvent({ ...first, schemaVersion: 1 })).toEqual(first);
    expect(catalogue.parseSynapEvent(first)).toEqual(first);
    expect(issuesOf({ type: "order.placed", data: { total: 12.5 } })).toEqual([
      "data.total: wrong-type",
      "schemaVersion: schema-version-older",
    ]);
  });

  it.each([4, 1000])("is refused with version %i, which its type doesn't have", (schemaVersion) => {
    expect(issuesOf({ type: "order.placed", schemaVersion, data: { cents: 1, currency: "EUR" } })).toEqual([
      "schemaVersion: schema-version-newer",
    ]);
  });

  it.each([0, -1, 1.5, 1001, "2", null])("is refused with %o in place of a version", (schemaVersion) => {
    expect(issuesOf({ type: "order.placed", schemaVersion, data: {} })).toEqual([
      expect.stringMatching(/^schemaVersion: /),
    ]);
  });

  it("has its current version in the schema of all events", () => {
    const current = placed(3, { cents: 1, currency: "EUR" });
    expect(catalogue.eventSchema.safeParse(current).success).toBe(true);
    expect(catalogue.eventSchema.safeParse({ ...current, schemaVersion: 2 }).success).toBe(false);
    expect(catalogue.eventSchema.safeParse(event).success).toBe(true);
  });
});
