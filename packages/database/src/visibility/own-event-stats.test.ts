import { seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { createEventStore } from "../postgres-event-store.ts";
import { PeriodTooLargeError, visibleEventStats } from "./own-event-stats.ts";
import { isVisible } from "./visibility.ts";

// SYNAP_FUZZ_SEED repeats a run.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const FIRST_DAY = Date.UTC(2021, 1, 3);
const DAY_MS = 86_400_000;
const dayOf = (moment: number | string) => new Date(moment).toISOString().slice(0, 10);

const VISIBILITIES = [
  { userId: "ann" },
  { userId: "bob" },
  { createdBy: "agent:planner" },
  { createdBy: "system" },
  { userId: "nobody" },
] as const;

const fields = fc.record({
  createdBy: fc.constantFrom("user:ann", "user:bob", "agent:planner", "system"),
  userId: fc.constantFrom(undefined, "ann", "bob"),
  source: fc.constantFrom("web", "import"),
  // Also the first and the last moment of a day.
  timestamp: fc
    .tuple(fc.nat({ max: 5 }), fc.constantFrom(0, 1, DAY_MS / 2, DAY_MS - 1))
    .map(([day, time]) => new Date(FIRST_DAY - day * DAY_MS + time).toISOString()),
});

describeOnEveryEngine("the numbers of events of a user and of an actor", (engine) => {
  it("are those of his own events in the period, and of no others", async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fields, { minLength: 1, maxLength: 20 }),
        fc.nat({ max: 5 }),
        fc.nat({ max: 5 }),
        async (given, a, b) => {
          await store.appendBatch(
            given.map(({ userId, ...rest }) =>
              noteEvent({ ...rest, ...(userId !== undefined && { userId }) }),
            ),
            { timestamps: "backfill" },
          );
          const { events: all } = await store.query({}, { limit: 1_000, order: "asc" });
          const [from, to] = [
            dayOf(FIRST_DAY - Math.max(a, b) * DAY_MS),
            dayOf(FIRST_DAY - Math.min(a, b) * DAY_MS),
          ];
          for (const visibility of VISIBILITIES) {
            const own = all.filter(
              (event) =>
                isVisible(event, visibility) &&
                dayOf(event.timestamp) >= from &&
                dayOf(event.timestamp) <= to,
            );
            const counted = (nameOf: (event: (typeof own)[number]) => string) =>
              [...new Set(own.map(nameOf))]
                .map((name) => ({ name, events: own.filter((event) => nameOf(event) === name).length }))
                .sort((one, other) => other.events - one.events || (one.name < other.name ? -1 : 1));
            const shares = (nameOf: (event: (typeof own)[number]) => string) => ({
              entries: counted(nameOf),
              others: 0,
            });
            const bounded = { undercount: 0 };
            expect(await visibleEventStats(engine.database, visibility, { from, to, limit: 100 })).toEqual({
              events: own.length,
              byDay: counted(({ timestamp }) => dayOf(timestamp))
                .map(({ name: day, events }) => ({ day, events }))
                .sort((one, other) => (one.day < other.day ? -1 : 1)),
              byType: shares(({ type }) => type),
              bySource: { ...shares(({ source }) => source), ...bounded },
              byCreator: { ...shares(({ createdBy }) => createdBy), ...bounded },
            });
          }
        },
      ),
      { seed: SEED, numRuns: 8 },
    );
  });

  it("have the names with the most events, and are refused beyond a number of events", async () => {
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const of = (source: string) =>
      noteEvent({ userId: "cat", createdBy: "user:cat", source, timestamp: "2019-05-06T07:08:09.000Z" });
    const outcomes = await store.appendBatch([of("web"), of("web"), of("import")], {
      timestamps: "backfill",
    });
    expect(outcomes.map(({ status }) => status)).toEqual(["stored", "stored", "stored"]);
    const request = { from: "2019-05-01", to: "2019-05-31", limit: 1 };
    const count = (maxEvents: number) =>
      visibleEventStats(engine.database, { userId: "cat" }, request, maxEvents);
    expect(await count(3)).toMatchObject({
      events: 3,
      bySource: { entries: [{ name: "web", events: 2 }], others: 1, undercount: 0 },
    });
    const refused = await count(2).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PeriodTooLargeError);
    expect(refused).toMatchObject({ message: expect.stringContaining("Ask for fewer days") });
    // The events of others are not among those that are counted.
    expect(await visibleEventStats(engine.database, { userId: "dan" }, request, 1)).toMatchObject({
      events: 0,
    });
  });

  it("take every period that a day can name", async () => {
    const request = { from: "0001-01-01", to: "9999-12-31", limit: 10 };
    expect(await visibleEventStats(engine.database, { userId: "nobody" }, request)).toMatchObject({
      events: 0,
    });
  });
});
