import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSynapEvent, seedCatalogue } from "../catalogue/seed-catalogue.ts";
import { checkContent, type EventRules, readBySchema, readEvent } from "../event-types/read-event.ts";
import { DEFAULT_MAX_DEPTH } from "../json/check-json.ts";
import { readPlainEvent } from "./read-plain-event.ts";

const rules: EventRules = {
  maxDepth: DEFAULT_MAX_DEPTH,
  find: seedCatalogue.get,
  names: () => [],
};

const full = createSynapEvent({
  type: "note.creation.requested",
  data: { title: "Plain", content: "Hello" },
  userId: "u-1",
  requestId: "r-1",
  correlationId: "c-1",
  causationId: "0190b5a8-7c00-7000-8000-000000000000",
  idempotencyKey: "k-1",
  timestamp: "2026-02-28T23:59:59.999Z",
  validFrom: "2026-01-01T00:00:00.000Z",
  validTo: "2026-12-31T00:00:00.000Z",
  metadata: { trace: "abc" },
});

/** Values that are nearly valid, and arbitrary ones. */
const nearly = fc.oneof(
  fc.anything(),
  fc.string({ unit: "binary", maxLength: 140 }),
  fc.constantFrom(
    undefined,
    null,
    "",
    "system",
    "user:",
    "agent:a",
    "v1",
    "note",
    "note.deleted",
    "\0",
    "\ud83d",
  ),
  fc.constantFrom("2026-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z", "2026-04-31T00:00:00.000Z"),
  fc.constantFrom("2026-03-31T24:00:00.000Z", "1969-12-31T00:00:00.000Z", "2026-01-31T00:00:00Z"),
  fc.constantFrom("2026-01-01T00:00:00.000z", "2026-01-01T01:00:00.000+01:00", "0050-01-01T00:00:00.000Z"),
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc.constantFrom("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
  fc.constantFrom(
    "a".repeat(64),
    "a".repeat(65),
    "a".repeat(128),
    "a".repeat(129),
    "a".repeat(255),
    "a".repeat(256),
  ),
  fc.constantFrom(
    {},
    { content: "Hello" },
    { content: "\0" },
    { content: 1 },
    { content: "a", extra: Number.NaN },
    [],
  ),
);

describe("the fast path of reading an event", () => {
  it("accepts every example of the catalogue, and an event with every field", () => {
    for (const { name, example } of seedCatalogue.types) {
      const event = Reflect.apply(createSynapEvent, undefined, [{ type: name, data: example }]);
      expect(readPlainEvent(event), name).toEqual(event);
    }
    expect(readPlainEvent(full)).toEqual(full);
  });

  it("returns the same results as the schema", () => {
    const changes = fc.dictionary(fc.constantFrom(...Object.keys(full), "extra"), nearly, { maxKeys: 3 });
    let recognised = 0;
    fc.assert(
      fc.property(changes, (fields) => {
        const event = { ...full, ...fields };
        if (readPlainEvent(event) !== undefined) recognised += 1;
        expect(readEvent(event, rules)).toEqual(readBySchema(event, checkContent(event, rules).issues));
      }),
      { numRuns: 3_000 },
    );
    expect(recognised).toBeGreaterThan(100);
  });

  it("returns the fields in the same order as the slow path", () => {
    const shuffled = Object.fromEntries(Object.entries(full).reverse());
    const plain = readPlainEvent(shuffled);
    const reading = readBySchema(shuffled, []);
    expect(reading.ok && JSON.stringify(reading.event)).toBe(JSON.stringify(plain));
  });

  it("declines events that are not normalised", () => {
    expect(readPlainEvent({ ...full, id: full.id.toUpperCase() })).toBeUndefined();
    expect(readPlainEvent({ ...full, timestamp: "2026-02-28T23:59:59Z" })).toBeUndefined();
  });

  it("returns a copy without undefined fields", () => {
    const plain = readPlainEvent({ ...full, userId: undefined });
    expect(plain).not.toBe(full);
    expect(Object.keys(plain ?? {})).not.toContain("userId");
  });
});
