import { randomUUID } from "node:crypto";
import { defineEventType, type SynapEvent, seedCatalogue, synapEventSchema } from "@synap/types";
import { expect, it } from "vitest";
import { z } from "zod";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { createEventStore } from "../internal.ts";

/** The fields that the store adds. */
const ADDED = ["position", "streamVersion", "recordedAt"];

const columnOf = (field: string) => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const sorted = (names: Iterable<string>) => [...names].sort();

const versioned = defineEventType({
  name: "field.filled",
  description: "A field of an event was filled.",
  version: 2,
  schema: z.strictObject({ content: z.string() }),
  example: { content: "all of it" },
  upcast: { 1: { schema: z.strictObject({ text: z.string() }), up: ({ text }) => ({ content: text }) } },
});
const catalogue = seedCatalogue.extend([versioned]);

/** An event with every field; the compiler refuses one without. */
function wholeEvent(): Required<SynapEvent> {
  return {
    id: randomUUID(),
    version: "v1",
    type: versioned.name,
    schemaVersion: 2,
    aggregateType: versioned.aggregateType,
    aggregateId: randomUUID(),
    data: { content: "all of it" },
    userId: "ada",
    createdBy: "user:ada",
    source: "a-test",
    timestamp: new Date().toISOString(),
    requestId: "request",
    correlationId: "correlation",
    causationId: randomUUID(),
    idempotencyKey: randomUUID(),
    validFrom: "2026-01-01T00:00:00.001Z",
    validTo: "2026-12-31T00:00:00.002Z",
    metadata: { address: "::1" },
  };
}

// The schema in @synap/types lists the fields of an event. The table, append_new_events and the view list the columns in SQL,
// and event-row.ts lists them by index.
describeOnEveryEngine("the fields of an event", (engine) => {
  const columnsOf = async (relation: string) => {
    const rows = await engine.database.query<{ name: string }>(
      "SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped",
      [relation],
    );
    return sorted(rows.map(({ name }) => name));
  };

  it.each([
    { relation: "synap.events", leftOut: [] },
    // The version of the contract, so far the same for every event.
    { relation: "synap.event_rows", leftOut: ["version"] },
    { relation: "synap.event_stream", leftOut: ["version"] },
  ] as const)("are the columns of $relation", async ({ relation, leftOut }) => {
    const listed = [...Object.keys(synapEventSchema.shape), ...ADDED];
    const fields = listed.filter((field) => !leftOut.some((each) => each === field));
    expect(await columnsOf(relation)).toEqual(sorted(fields.map(columnOf)));
  });

  // One event is appended by another function than several.
  it.each([1, 2])("are all stored in an append of %i, and read back in every way", async (count) => {
    const store = createEventStore({ database: engine.database, catalogue });
    const event = wholeEvent();
    expect(sorted(Object.keys(event))).toEqual(sorted(Object.keys(synapEventSchema.shape)));
    const [outcome] = await store.appendBatch([event, wholeEvent()].slice(0, count));
    if (outcome?.status !== "stored") throw new Error(`The event is ${outcome?.status}.`);
    const { position, streamVersion } = outcome;
    const stored = { ...event, position, streamVersion, recordedAt: expect.any(String) };

    const { events: read } = await store.readAll({ after: position - 1, limit: 1 });
    const { events: found } = await store.query(
      { aggregateId: event.aggregateId },
      { limit: 1, order: "asc" },
    );
    const { events: ofStream } = await store.readStreamPage(event);
    for (const each of [await store.getById(event.id), ...read, ...found, ...ofStream]) {
      expect(each).toEqual(stored);
    }
    expect([read, found, ofStream].map(({ length }) => length)).toEqual([1, 1, 1]);
    const rows = await engine.database.query(
      `SELECT num_nulls(VARIADIC ARRAY(SELECT value FROM jsonb_each_text(to_jsonb(e)))) AS missing
         FROM synap.get_events($1::bigint - 1, 1) AS e`,
      [position],
    );
    expect(rows).toEqual([{ missing: 0 }]);
  });
});
