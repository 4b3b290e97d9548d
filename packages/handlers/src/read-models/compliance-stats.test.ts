import { countEvents, createEventStore, sqlState } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { complianceStats, complianceStatsAt } from "./compliance-stats.ts";

// SYNAP_FUZZ_SEED repeats a run.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const DAY_MS = 86_400_000;

const event = fc
  .record({
    createdBy: fc.constantFrom("user:ada", "user:bob", "agent:pricing", "system"),
    aggregateId: fc.constantFrom("a", "b"),
    userId: fc.option(fc.constantFrom("u1", "u2"), { nil: undefined }),
    correlationId: fc.option(fc.constant("flow"), { nil: undefined }),
    daysAgo: fc.nat({ max: 60 }),
    isPrice: fc.boolean(),
  })
  .map(({ daysAgo, isPrice, ...fields }) => ({
    ...fields,
    timestamp: new Date(Date.now() - daysAgo * DAY_MS).toISOString(),
    ...(isPrice
      ? { type: "product.price_changed" as const, data: { oldPrice: 1, newPrice: 2 } }
      : { type: "note.creation.completed" as const, data: { content: "noted" } }),
  }));
/** A step in the life of the log: an append, an append that is rolled back, or a count of the next events. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ events: fc.array(event, { minLength: 1, maxLength: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ undone: event }) },
  { weight: 2, arbitrary: fc.record({ counted: fc.integer({ min: 1, max: 12 }) }) },
);

const KEPT = `SELECT day::text, event_type, actor_kind, events, with_user, with_correlation, first_position, last_position
                FROM synap_read.compliance_stats ORDER BY day, event_type, actor_kind`;
const RECOUNTED = `
SELECT ("timestamp" AT TIME ZONE 'UTC')::date::text AS day, type AS event_type,
       split_part(created_by, ':', 1) COLLATE "C" AS actor_kind, count(*) AS events, count(user_id) AS with_user,
       count(correlation_id) AS with_correlation, min("position") AS first_position, max("position") AS last_position
  FROM synap.events GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;

describeOnEveryEngine("the compliance figures", (engine) => {
  const store = () => createEventStore({ database: engine.database, catalogue: seedCatalogue });
  const note = (): SynapEvent =>
    createSynapEvent({ type: "note.creation.completed", data: { content: "noted" } });
  const countSome = (most: number) => engine.database.query("SELECT synap.count_events($1)", [most]);
  const isExact = async () =>
    expect(await engine.database.query(KEPT)).toEqual(await engine.database.query(RECOUNTED));

  it("equal a recount of the log after every append, whatever was counted before", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        for (const each of steps) {
          if ("events" in each) {
            const events = each.events.map((input) => createSynapEvent(input));
            await store().appendBatch(events, { timestamps: "backfill" });
          } else if ("undone" in each) {
            const undone = engine.database.transaction(async (transaction) => {
              await store().append(createSynapEvent(each.undone), { transaction, timestamps: "backfill" });
              throw new Error("undone");
            });
            await expect(undone).rejects.toThrow("undone");
          } else {
            await countSome(each.counted);
          }
          await isExact();
        }
        while (await countEvents(engine.database));
        const [end] = await engine.database.query(
          `SELECT c."position" >= coalesce((SELECT max("position") FROM synap.events), 0) AS "isAll"
             FROM synap.event_counts_end AS c`,
        );
        expect(end).toEqual({ isAll: true });
        await isExact();
      }),
      { seed: SEED, numRuns: 8 },
    );
  });

  it("sum up the days of a period, both included", async () => {
    const at = (timestamp: string) =>
      createSynapEvent({
        type: "product.price_changed",
        aggregateId: "p1",
        createdBy: "agent:period",
        timestamp,
        data: { oldPrice: 1, newPrice: 2 },
      });
    const times = ["2019-12-31T23:59:59.999Z", "2020-01-01T00:00:00.000Z", "2020-01-02T23:59:59.999Z"];
    await store().appendBatch([...times, "2020-01-03T00:00:00.000Z"].map(at), { timestamps: "backfill" });
    expect(await complianceStats(engine.database, { from: "2020-01-01", to: "2020-01-02" })).toEqual([
      { eventType: "product.price_changed", actorKind: "agent", events: 2, withUser: 0, withCorrelation: 0 },
    ]);
  });

  it("are the same at a position, whether counted from its beginning or back from the end", async () => {
    const days = { from: "2021-05-01", to: "2021-05-03" };
    const positions: number[] = [];
    for (const hour of [0, 9, 23, 47, 70]) {
      const timestamp = new Date(Date.UTC(2021, 4, 1, hour)).toISOString();
      const outcome = await store().append(
        createSynapEvent({
          type: "product.price_changed",
          aggregateId: "p2",
          createdBy: "agent:past",
          timestamp,
          data: { oldPrice: 1, newPrice: 2 },
        }),
        { timestamps: "backfill" },
      );
      if (outcome.status === "stored") positions.push(outcome.position);
    }
    const expected = (events: number) => [
      { eventType: "product.price_changed", actorKind: "agent", events, withUser: 0, withCorrelation: 0 },
    ];
    for (const [index, position] of positions.entries()) {
      expect(await complianceStatsAt(engine.database, days, { position })).toEqual(expected(index + 1));
    }
    expect(await complianceStatsAt(engine.database, days, { position: 0 })).toEqual([]);
    const early = { position: 0, maxEvents: 0 };
    expect(await complianceStatsAt(engine.database, days, early)).toEqual([]);
    const later = { position: positions[0] ?? 0, maxEvents: 0 };
    await expect(complianceStatsAt(engine.database, days, later)).rejects.toMatchObject({
      code: "AS_OF_TOO_LONG",
    });
  });

  it("count an event once when several processes count, and one whose append is finished late", async () => {
    if (engine.engine === "embedded") return;
    // Makes today's chunk: a transaction that makes one keeps other appends to it waiting.
    await store().append(note());
    await engine.database.transaction(async (transaction) => {
      await store().append(note(), { transaction });
      await store().appendBatch([note(), note()]);
      await countSome(1_000);
      await isExact();
    });
    await isExact();
    await store().appendBatch(Array.from({ length: 200 }, note));
    await Promise.all([countSome(50), countSome(50), countSome(50), countSome(50)]);
    await isExact();
    while (await countEvents(engine.database));
    await isExact();
  });

  it("can't be changed by the application", async () => {
    for (const statement of [
      "UPDATE synap.event_counts SET events = 0",
      'UPDATE synap.event_counts_end SET "position" = 0',
      "DELETE FROM synap.event_counts",
    ]) {
      expect(await engine.database.query(statement).catch(sqlState)).toBe("42501");
    }
  });
});
