import { migrate } from "@synap/database";
import { createTestDatabase, type TestDatabase, testEngines } from "@synap/database/testing";
import { EventDispatcher } from "@synap/handlers/internal";
import { catchUpFully } from "@synap/handlers/testing";
import { type EventInput, type EventTypeDefinition, seedCatalogue, synapEventSchema } from "@synap/types";
import { arbitraryOf } from "@synap/types/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { seededComposition } from "./seeded-composition.ts";

// SYNAP_FUZZ_SEED repeats a run, SYNAP_FUZZ_RUNS lengthens it.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env["SYNAP_FUZZ_RUNS"] ?? 800);

const { properties: envelope } = z.toJSONSchema(synapEventSchema);

/** Events of a type with anything that its schema takes. Few ids, so that an event meets what others have left. */
function eventsOf({ name, jsonSchema }: EventTypeDefinition): fc.Arbitrary<EventInput> {
  const field = (key: string) => arbitraryOf(Object(envelope?.[key]));
  return fc.record(
    {
      type: fc.constant(name),
      data: arbitraryOf(jsonSchema).map((data) => Object(data)),
      aggregateId: fc.oneof(fc.constantFrom("one", "two", "three"), field("aggregateId").map(String)),
      // Of few days, because each day creates a chunk.
      timestamp: fc.constantFrom(
        "1970-01-01T00:00:00.000Z",
        "2026-02-28T12:00:00.000Z",
        "9999-12-31T23:59:59.999Z",
      ),
      userId: field("userId").map(String),
      createdBy: field("createdBy").map(String),
      source: field("source").map(String),
      requestId: field("requestId").map(String),
      correlationId: field("correlationId").map(String),
    },
    { requiredKeys: ["type", "data", "aggregateId", "createdBy"] },
  );
}

describe.each(testEngines())(`whatever the schemas of the seeded types take (%s, seed ${SEED})`, (engine) => {
  describe.each(["inline", "async"] as const)("%s projections hold", (mode) => {
    let made: TestDatabase;
    let dispatcher: EventDispatcher;

    beforeAll(async () => {
      made = await createTestDatabase(engine);
      await migrate(made.database, { applications: seededComposition.migrations });
      dispatcher = new EventDispatcher({
        database: made.database,
        catalogue: seedCatalogue,
        handlers: seededComposition.handlers,
        projections: seededComposition.projections.map((projection) => ({ ...projection, mode })),
        backoff: { firstMs: 1, maxMs: 1 },
      });
      await dispatcher.projections.prepare();
    });
    afterAll(() => made.drop());

    it("them, without a dead letter", async () => {
      const inputs = fc.sample(fc.oneof(...seedCatalogue.types.map(eventsOf)), { seed: SEED, numRuns: RUNS });
      // What a schema takes and an event may still not hold is refused before anybody is answered 2xx.
      const events = inputs.flatMap((input) => {
        const reading = seedCatalogue.safeParseSynapEvent(seedCatalogue.completeEvent(input));
        return reading.ok ? [reading.event] : [];
      });
      expect(events.length).toBeGreaterThan(RUNS * 0.7);
      expect(new Set(events.map(({ type }) => type)).size).toBe(seedCatalogue.types.length);
      const outcomes = await dispatcher.store.appendBatch(events, { timestamps: "backfill" });
      expect(outcomes.filter(({ status }) => status !== "stored")).toEqual([]);
      for (const name of dispatcher.followers) await catchUpFully(dispatcher, name);
      const deadLetters = await made.database.query(
        `SELECT handler, code, reason, event->>'type' AS type, event->>'data' AS data FROM synap.dead_letters`,
      );
      expect(deadLetters).toEqual([]);
    });

    it("and can be read afterwards", async () => {
      for (const { name } of seededComposition.projections.flatMap((projection) => projection.tables)) {
        const rows = await made.database.query(`SELECT * FROM synap_read.${name}`);
        expect(rows.length, name).toBeGreaterThan(0);
      }
    });
  });
});
