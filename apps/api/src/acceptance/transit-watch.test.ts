import type { Database } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { keepAccepted, operatingWarnings } from "@synap/handlers/internal";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import { expect, it } from "vitest";
import { createTransitWatch } from "./transit-watch.ts";

const note = (fields: { idempotencyKey?: string } = {}) =>
  createSynapEvent({ type: "note.creation.requested", data: { content: "x" }, ...fields });

/** A watch whose clock is moved by hand. */
function watch(database: Database) {
  let ms = 0;
  const transit = createTransitWatch(database, () => ms);
  return {
    ...transit,
    pass: (passing: number) => {
      ms += passing;
    },
    warning: async () => {
      const warnings = await operatingWarnings(database, [], {
        needsWorker: false,
        synapCommand: "synap",
        exposures: async () => [],
        inTransit: await transit.look(),
      });
      return warnings.find(({ code }) => code === "accepted-events-overdue")?.detail;
    },
  };
}

describeOnEveryEngine("an accepted event that does not arrive", (engine) => {
  it("is reported with its age, with a warning after a minute, until it is stored", async () => {
    const { database } = engine;
    const transit = watch(database);
    const event = note();
    expect(await transit.look()).toBeUndefined();
    transit.accepted(event);
    transit.pass(59_000);
    expect(await transit.look()).toEqual({ sampled: 1, oldestId: event.id, oldestAgeMs: 59_000 });
    expect(await transit.warning()).toBeUndefined();
    transit.pass(1_000);
    expect(await transit.warning()).toBe(
      `event ${event.id} was accepted 60 s ago and is neither stored nor a dead letter: look at the runs of ingest-events in Inngest`,
    );
    await createEventStore({ database, catalogue: seedCatalogue }).appendBatch([event]);
    expect(await transit.look()).toBeUndefined();
  });

  it("counts as arrived once it is a dead letter, or a duplicate of a stored event with its key", async () => {
    const { database } = engine;
    const transit = watch(database);
    const [deadLetter, first, repeated] = [
      note(),
      note({ idempotencyKey: "k" }),
      note({ idempotencyKey: "k" }),
    ];
    for (const event of [deadLetter, repeated]) {
      transit.accepted(event);
      transit.pass(10_000);
    }
    expect(await transit.look()).toMatchObject({ sampled: 2, oldestId: deadLetter.id });
    await keepAccepted(database, deadLetter, { code: "x", reason: "x", attempts: 1 });
    expect(await transit.look()).toMatchObject({ sampled: 1, oldestId: repeated.id });
    await createEventStore({ database, catalogue: seedCatalogue }).appendBatch([first]);
    expect(await transit.look()).toBeUndefined();
  });

  it("is one of a sample: one every ten seconds, and the oldest are kept", async () => {
    const transit = watch(engine.database);
    const events = Array.from({ length: 400 }, () => note());
    for (const event of events) {
      transit.accepted(event);
      transit.accepted(note());
      transit.pass(10_000);
    }
    expect(await transit.look()).toMatchObject({ sampled: 360, oldestId: events[0]?.id });
  });
});
