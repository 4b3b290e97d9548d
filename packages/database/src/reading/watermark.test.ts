import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { everyInterleaving, playInterleaving } from "../../testing/watermark/every-interleaving.ts";
import {
  append,
  LOSING_SCENARIOS,
  lostIn,
  randomWriters,
  type World,
} from "../../testing/watermark/scenarios.ts";
import { type Database, openDatabase } from "../index.ts";
import { createEventStore, storeStatistics, watermarkHolder } from "../internal.ts";

// Only a server has several connections; the embedded engine runs one transaction after the other.
const describeOnServer = describe.runIf(testEngines().includes("server"));

/** Opens a server database for a suite. Returns a function that a test calls to get it. */
function openWorld(prepare: (database: TestDatabase) => Promise<void> = async () => {}): () => World {
  let test: TestDatabase | undefined;
  let owner: Database | undefined;
  let world: World | undefined;
  beforeAll(async () => {
    test = await createTestDatabase("server");
    await prepare(test);
    const { database } = test;
    owner = await openDatabase({ ...test.options, applicationRole: false });
    world = { database, owner, store: createEventStore({ database, catalogue: seedCatalogue }) };
  });
  afterAll(async () => {
    await owner?.close();
    await test?.drop();
  });
  return () => {
    if (world === undefined) throw new Error("The database is made before the first test.");
    return world;
  };
}

describeOnServer("the watermark, step by step through several connections", () => {
  const world = openWorld();

  it.each(LOSING_SCENARIOS)("loses no event for a reader when %s", async (_name, play) => {
    const { committed, read } = await play(world());
    expect(read).toEqual(committed);
  });

  it("keeps readers from missing or repeating events among writers that pause, roll back and append several times", async () => {
    const { committed, read } = await randomWriters(world(), 60);
    expect(read).toEqual(committed);
    expect(read.length).toBeGreaterThan(50);
  });

  it("holds in every interleaving of the appender's and the reader's steps", async () => {
    for (const steps of everyInterleaving()) {
      for (const other of [0, 2, 3, 5, 7]) {
        const { committed, read } = await playInterleaving(world(), steps, other, true);
        expect(read, `${steps.join(" ")}, another append at ${other}`).toEqual(committed);
      }
    }
  });

  it("passes a number whose transaction was rolled back", async () => {
    const { database, store } = world();
    const start = await append(store);
    let kept = 0;
    const lost = database.transaction(async (transaction) => {
      await append(store, transaction);
      kept = await append(store);
      expect((await store.readAll({ after: start, limit: 10 })).events).toEqual([]);
      throw new Error("rolled back on purpose");
    });
    await expect(lost).rejects.toThrow("rolled back on purpose");
    expect((await store.readAll({ after: start, limit: 10 })).events).toMatchObject([{ position: kept }]);
  });

  // What a rollback leaves behind need not be on the disk, and a crash undoes it: scripts/test/faults/append-numbers.fault.test.ts.
  it("stays at the last committed append, however many numbers were rolled back since", async () => {
    const { database, store } = world();
    const last = await append(store);
    const undone = database.transaction(async (transaction) => {
      for (let count = 0; count < 3; count += 1) await append(store, transaction);
      throw new Error("rolled back on purpose");
    });
    await expect(undone).rejects.toThrow("rolled back on purpose");
    const page = await store.readAll({ after: last, limit: 10 });
    expect(page).toEqual({ events: [], position: last + 1023, watermark: last + 1023, caughtUp: true });
    const next = await append(store);
    expect(next).toBe(last + 4 * 1024);
    expect((await store.readAll({ after: page.position, limit: 10 })).events).toMatchObject([
      { position: next },
    ]);
  });

  it("is not held back by a long transaction that writes and does not append, nor by another database", async () => {
    const { database, store } = world();
    const elsewhere = await createTestDatabase("server");
    const other = createEventStore({ database: elsewhere.database, catalogue: seedCatalogue });
    const start = await append(store);
    await database.transaction(async (migration) => {
      await migration.query("INSERT INTO synap.checkpoints (handler, \"position\") VALUES ('long', 1)");
      await elsewhere.database.transaction(async (open) => {
        await append(other, open);
        const position = await append(store);
        expect((await store.readAll({ after: start, limit: 10 })).events).toMatchObject([{ position }]);
        expect(await watermarkHolder(database)).toBeUndefined();
      });
    });
    await elsewhere.drop();
  });

  it("is reported with the session that holds it back, its statement and its age", async () => {
    const { database, store } = world();
    expect((await storeStatistics(database)).events.watermarkHolder).toBeUndefined();
    await database.transaction(async (transaction) => {
      await append(store, transaction);
      const [own] = await transaction.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      const holder = await watermarkHolder(database);
      expect(holder).toEqual({
        pid: own?.pid,
        login: "postgres",
        query: expect.stringContaining("pg_backend_pid"),
        state: "idle in transaction",
        ageMs: expect.any(Number),
        applicationName: "synap",
      });
      expect((await storeStatistics(database)).events.watermarkHolder).toMatchObject({ pid: own?.pid });
      expect(await watermarkHolder(transaction)).toBeUndefined();
    });
    expect(await watermarkHolder(database)).toBeUndefined();
  });

  it("takes one lock per transaction, for any number of appends", async () => {
    const { database, store } = world();
    await database.transaction(async (transaction) => {
      for (let count = 0; count < 5; count += 1) await append(store, transaction);
      const locks = await transaction.query(
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objsubid = 1",
      );
      expect(locks).toHaveLength(1);
    });
  });

  it("refuses isolation levels in which an old snapshot would make it wrong", async () => {
    const { database, store } = world();
    // Not as the application: behind a pooler, its transactions can't choose their level.
    const asking = database.asOwner(async (transaction) => {
      await transaction.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      await store.readAll({ after: 0, limit: 1, transaction });
    });
    await expect(asking).rejects.toMatchObject({ code: "SY005" });
  });
});

// Control: without the watermark the same scenarios lose events.
describeOnServer("with the sequence's last value instead of the watermark", () => {
  const world = openWorld(({ database }) =>
    database.asOwner(async (owner) => {
      await owner.execute(`
        CREATE OR REPLACE FUNCTION synap.append_watermark() RETURNS bigint LANGUAGE sql VOLATILE
        AS 'SELECT last_value FROM synap.append_sequence'`);
    }),
  );

  it.each(LOSING_SCENARIOS)("a reader loses events when %s", async (_name, play) => {
    expect(lostIn(await play(world())).length).toBeGreaterThan(0);
  });

  it("a reader loses most events among random writers", async () => {
    const report = await randomWriters(world(), 30);
    expect(lostIn(report).length).toBeGreaterThan(report.committed.length / 10);
  });

  it("a reader loses events in some orders of the steps", async () => {
    let losses = 0;
    for (const steps of everyInterleaving()) {
      losses += lostIn(await playInterleaving(world(), steps, 5, false)).length;
    }
    expect(losses).toBeGreaterThan(0);
    expect((await world().store.append(noteEvent())).status).toBe("stored");
  });
});
