import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { countEvents, createEventStore, type EventStats, eventStats } from "../internal.ts";

// SYNAP_FUZZ_SEED repeats a run.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const DAY_MS = 86_400_000;
const MAX_NAMES = 1_000;

interface Origin {
  readonly createdBy: string;
  readonly source: string;
}

const eventAt = (timestamp: string, { createdBy, source }: Origin, type = "note.creation.requested") =>
  createSynapEvent({
    ...(type === "task.created"
      ? { type, data: { title: "count" } }
      : { type: "note.creation.requested" as const, data: { content: "counted" } }),
    createdBy,
    source,
    timestamp,
  });

describeOnEveryEngine("the numbers of events of a period", (engine) => {
  const store = () => createEventStore({ database: engine.database, catalogue: seedCatalogue });
  const append = (events: readonly SynapEvent[]) => store().appendBatch(events, { timestamps: "backfill" });
  const countSome = (most: number) => engine.database.query("SELECT synap.count_events($1)", [most]);
  const read = (from: string, to = from, limit = MAX_NAMES) =>
    eventStats(engine.database, { from, to, limit });
  let days = 0;
  /** A day that no other test has events on. */
  const nextDay = () => {
    days += 1;
    return new Date(Date.UTC(1990, 0, 1) + days * DAY_MS * 10).toISOString().slice(0, 10);
  };

  it("are those of every stored event, whether it is counted already or not", async () => {
    const [first, second] = [nextDay(), nextDay()];
    const ada = { createdBy: "user:ada", source: "web" };
    const bot = { createdBy: "agent:pricing", source: "import" };
    await append([eventAt(`${first}T00:00:00.000Z`, ada), eventAt(`${first}T23:59:59.999Z`, bot)]);
    const uncounted = await read(first, second);
    while (await countEvents(engine.database));
    expect(await read(first, second)).toEqual(uncounted);
    await append([eventAt(`${second}T12:00:00.000Z`, ada, "task.created")]);
    expect(await read(first, second)).toEqual<EventStats>({
      events: 3,
      byDay: [
        { day: first, events: 2 },
        { day: second, events: 1 },
      ],
      byType: {
        entries: [
          { name: "note.creation.requested", events: 2 },
          { name: "task.created", events: 1 },
        ],
        others: 0,
      },
      bySource: {
        entries: [
          { name: "web", events: 2 },
          { name: "import", events: 1 },
        ],
        others: 0,
        undercount: 0,
      },
      byCreator: {
        entries: [
          { name: "user:ada", events: 2 },
          { name: "agent:pricing", events: 1 },
        ],
        others: 0,
        undercount: 0,
      },
    });
    expect((await read(first)).events).toBe(2);
    const shortened = await read(first, second, 1);
    expect(shortened.byCreator).toEqual({
      entries: [{ name: "user:ada", events: 2 }],
      others: 1,
      undercount: 0,
    });
  });

  it("are empty for a period without events", async () => {
    const nothing = { entries: [], others: 0 };
    const none = { ...nothing, undercount: 0 };
    expect(await read(nextDay())).toEqual<EventStats>({
      events: 0,
      byDay: [],
      byType: nothing,
      bySource: none,
      byCreator: none,
    });
  });

  it("lack at most a 1,001st of the day's events when a day has more than 1,000 creators", async () => {
    // Some creators with many events, among others with one or a few.
    const creator = fc.oneof(
      { weight: 1, arbitrary: fc.nat({ max: 20 }) },
      { weight: 4, arbitrary: fc.integer({ min: 100, max: 3_000 }) },
    );
    const batch = fc.record({
      creators: fc.array(creator, { minLength: 900, maxLength: 1_000, size: "max" }),
      counted: fc.integer({ min: 300, max: 2_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 4, maxLength: 6 }), async (batches) => {
        const day = nextDay();
        const truth = new Map<string, number>();
        for (const { creators, counted } of batches) {
          const names = creators.map((each) => `user:${each}`);
          for (const name of names) truth.set(name, (truth.get(name) ?? 0) + 1);
          await append(
            names.map((createdBy) => eventAt(`${day}T10:00:00.000Z`, { createdBy, source: "test" })),
          );
          await countSome(counted);
        }
        while (await countEvents(engine.database));
        expect(truth.size).toBeGreaterThan(MAX_NAMES);
        const { events, byCreator, bySource } = await read(day);
        const total = batches.reduce((sum, { creators }) => sum + creators.length, 0);
        const { entries, others, undercount } = byCreator;
        expect(events).toBe(total);
        expect(entries.length).toBeLessThanOrEqual(MAX_NAMES);
        expect(undercount).toBeLessThanOrEqual(total / (MAX_NAMES + 1));
        expect(entries.reduce((sum, entry) => sum + entry.events, others)).toBe(total);
        const shown = new Map(entries.map(({ name, events }) => [name, events]));
        for (const [name, actual] of truth) {
          const figure = shown.get(name) ?? 0;
          expect(figure).toBeLessThanOrEqual(actual);
          expect(actual - figure).toBeLessThanOrEqual(undercount);
        }
        expect(bySource).toEqual({ entries: [{ name: "test", events: total }], others: 0, undercount: 0 });
        const [kept] = await engine.database.query(
          "SELECT count(*) AS names FROM synap.event_origins WHERE day = $1::text::date AND kind = 'creator'",
          [day],
        );
        expect(kept).toEqual({ names: entries.length });
      }),
      { seed: SEED, numRuns: 3, endOnFailure: true },
    );
  });

  it("can't be changed by the application", async () => {
    const change = engine.database.query("UPDATE synap.event_origins SET events = 0");
    await expect(change).rejects.toMatchObject({ code: "42501" });
  });
});
