import { randomUUID } from "node:crypto";
import type { SynapEvent } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import type { Transaction } from "../index.ts";
import { appendNewEvents } from "./append-new-events.ts";

/** Streams of a pool: more than are created without a look at each. */
const POOL = 30;

describeOnEveryEngine("an append to many streams, which may all be new", (engine) => {
  const newPool = () => {
    const name = randomUUID();
    return Array.from({ length: POOL }, (_, index) => `${name}-${String(index).padStart(2, "0")}`);
  };
  const toEach = (ids: readonly string[]) => ids.map((aggregateId) => noteEvent({ aggregateId }));
  const append = (events: readonly SynapEvent[], transaction?: Transaction) =>
    appendNewEvents(transaction ?? engine.database, events);
  const versionsOf = async (ids: readonly string[]) => {
    const rows = await engine.database.query<{ id: string; version: number }>(
      "SELECT aggregate_id AS id, version FROM synap.streams WHERE aggregate_id IN (SELECT jsonb_array_elements_text($1::text::jsonb))",
      [JSON.stringify(ids)],
    );
    const versions = new Map(rows.map(({ id, version }) => [id, version]));
    return ids.map((id) => versions.get(id) ?? 0);
  };
  const waits = () =>
    engine.database.query(`
      SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
       WHERE NOT l.granted AND l.locktype = 'transactionid' AND a.datname = current_database()`);

  it("numbers each stream from its version, whichever of them exist", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat({ max: POOL - 1 }), { minLength: 16, maxLength: 60 }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.subarray([0, 1, 15, POOL - 1]),
        async (appends, existing) => {
          const pool = newPool();
          const expected = pool.map(() => 0);
          for (const order of [existing, ...appends]) {
            const events = toEach(order.map((stream) => pool[stream] ?? ""));
            if (events.length === 0) continue;
            const numbered = order.map((stream) => {
              const streamVersion = (expected[stream] ?? 0) + 1;
              expected[stream] = streamVersion;
              return streamVersion;
            });
            const appended = await append(events);
            expect(
              appended.map(({ outcome }) => "streamVersion" in outcome && outcome.streamVersion),
            ).toEqual(numbered);
          }
          expect(await versionsOf(pool)).toEqual(expected);
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([
    { one: "is closed", code: "SY006" },
    { one: "is at another version", code: "SY001" },
  ])("stores nothing if one in the middle $one", async ({ code }) => {
    const pool = newPool();
    const [middle = ""] = pool.slice(POOL / 2);
    await append([noteEvent({ aggregateId: middle })]);
    if (code === "SY006") await engine.database.query("SELECT synap.close_stream('note', $1, '1')", [middle]);
    const expectations =
      code === "SY006"
        ? []
        : pool.map((aggregateId) => ({ aggregateType: "note", aggregateId, expected: 0 }));
    await expect(appendNewEvents(engine.database, toEach(pool), { expectations })).rejects.toMatchObject({
      code,
    });
    expect(await versionsOf(pool)).toEqual(pool.map((id) => (id === middle ? 1 : 0)));
  });

  it.each(["commits", "is rolled back"])(
    "waits for another that creates one of them, until it %s",
    async (end) => {
      // The embedded engine has one session.
      if (engine.engine === "embedded") return;
      const pool = newPool();
      const [middle = ""] = pool.slice(POOL / 2);
      let waiting: Promise<unknown> = Promise.resolve();
      const first = engine.database.transaction(async (transaction) => {
        await append([noteEvent({ aggregateId: middle })], transaction);
        waiting = append(toEach(pool));
        await expect.poll(async () => (await waits()).length).toBe(1);
        if (end !== "commits") throw new Error("enough");
      });
      await (end === "commits" ? first : expect(first).rejects.toThrow("enough"));
      await waiting;
      expect(await versionsOf(pool)).toEqual(pool.map((id) => (end === "commits" && id === middle ? 2 : 1)));
    },
  );

  it("deadlocks with no other, because each takes the streams in one order", async () => {
    if (engine.engine === "embedded") return;
    for (let round = 0; round < 10; round += 1) {
      const pool = newPool();
      const shuffled = () => fc.sample(fc.shuffledSubarray(pool, { minLength: 20 }), 4);
      const wanted = shuffled();
      // Nothing is retried here, so a deadlock would reject.
      await Promise.all(wanted.map((ids) => append(toEach(ids))));
      expect(await versionsOf(pool)).toEqual(
        pool.map((id) => wanted.filter((ids) => ids.includes(id)).length),
      );
    }
  });
});
