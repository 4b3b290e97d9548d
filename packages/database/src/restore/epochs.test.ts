import { cp, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seedCatalogue } from "@synap/types";
import { describe, expect, it } from "vitest";
import { describeOnEveryEngine, type TestEngine } from "../../testing/index.ts";
import { ensureDataDirectory } from "../../testing/prepared-data-directory.ts";
import { noteEvents } from "../../testing/test-events.ts";
import type { Database } from "../index.ts";
import { openDatabase, PositionLostError } from "../index.ts";
import { createEventStore } from "../internal.ts";
import { currentEpoch, declareRestored, noteVerified, readEpochs } from "./epoch.ts";

const storeOf = (database: Database) => createEventStore({ database, catalogue: seedCatalogue });
const EPOCH_GAP = 2 ** 30 * 1_024;

/** Appends events, and returns the position of the last one. */
async function append(database: Database, events: number): Promise<number> {
  const outcomes = await storeOf(database).appendBatch(noteEvents(events));
  const last = outcomes.at(-1);
  if (last === undefined || last.status === "rejected") throw new Error("The events were not stored.");
  return last.position;
}

const readAfter = (database: Database, after: number) => storeOf(database).readAll({ after, limit: 100 });

/** The database becomes another one for its next session, as if it had been restored, copied or promoted. */
async function becomeAnother({ testDatabase, database }: TestEngine): Promise<Database> {
  await database.asOwner((owner) => owner.query("UPDATE synap.epochs SET history = '1 2 00000001'"));
  return testDatabase.reopen();
}

describeOnEveryEngine(
  "an epoch that begins by itself",
  (engine) => {
    it("is the first one while the database stays the same", async () => {
      const first = await append(engine.database, 3);
      const second = await append(engine.database, 2);
      expect(second).toBeLessThan(first + 2_048);
      expect(await readEpochs(engine.database)).toEqual([
        expect.objectContaining({ number: 1, firstPosition: 0, verifiedAt: expect.any(String) }),
      ]);
    });

    it("begins with the first append after the database has become another one", async () => {
      const last = await append(engine.database, 2);
      const database = await becomeAnother(engine);
      expect(await currentEpoch(database)).toMatchObject({ number: 1 });
      const rolledBack = database.transaction(async (transaction) => {
        await storeOf(database).appendBatch(noteEvents(1), { transaction });
        throw new Error("taken back");
      });
      await expect(rolledBack).rejects.toThrow("taken back");
      const positions = await Promise.all([append(database, 2), append(database, 1), append(database, 1)]);
      const { verifiedAt, ...epoch } = await currentEpoch(database);
      expect(verifiedAt).toBeUndefined();
      expect(epoch).toMatchObject({ number: 2, lastBefore: (last >> 10) * 1_024 + 1_023 });
      expect(epoch.firstPosition).toBeGreaterThanOrEqual(last + EPOCH_GAP);
      expect(Math.min(...positions)).toBeGreaterThanOrEqual(epoch.firstPosition);
      expect(await readEpochs(database)).toHaveLength(2);

      const { events } = await readAfter(database, last);
      expect(events).toHaveLength(4);
      const lost = last + 5_000;
      await expect(readAfter(database, lost)).rejects.toThrow(PositionLostError);
      await expect(readAfter(database, lost)).rejects.toMatchObject({
        code: "POSITION_LOST",
        position: lost,
        epoch: 2,
        resumeAfter: epoch.lastBefore,
      });
      const subscribed = storeOf(database).subscribeToAll({ from: lost });
      await expect(subscribed[Symbol.asyncIterator]().next()).rejects.toThrow(PositionLostError);
      await expect(database.query("SELECT * FROM synap.next_appends($1, 1)", [lost])).rejects.toThrow(
        "has never had position",
      );
    });
  },
  { onDisk: true },
);

describeOnEveryEngine("a position", (engine) => {
  it("is refused beyond the end of the log: it is of another store", async () => {
    const last = await append(engine.database, 1);
    const end = (last >> 10) * 1_024 + 1_023;
    expect(await readAfter(engine.database, end)).toMatchObject({ events: [], caughtUp: true });
    await expect(readAfter(engine.database, end + 5_000 * 1_024)).rejects.toMatchObject({
      code: "POSITION_LOST",
      resumeAfter: end,
      message: expect.stringMatching(
        /^The store has never had position \d+: it was restored from a backup, or/,
      ),
    });
  });
});

describe("a copy of the files of an embedded database", () => {
  it("looks like the store itself; declared as restored, it does not give positions out again", async () => {
    const folder = await mkdtemp(join(tmpdir(), "synap-epochs-"));
    const data = join(folder, "database");
    const within = async <T>(work: (database: Database) => Promise<T>): Promise<T> => {
      const database = await openDatabase({ dataDirectory: data });
      try {
        return await work(database);
      } finally {
        await database.close();
      }
    };
    try {
      await cp(await ensureDataDirectory("migrated"), data, { recursive: true });
      const kept = await within((database) => append(database, 3));
      await cp(data, join(folder, "backup"), { recursive: true });
      // Somebody has read these, and they are lost with the files.
      const lost = await within(async (database) => {
        await append(database, 2);
        return (await readAfter(database, kept)).position;
      });
      await rm(data, { recursive: true });
      await rename(join(folder, "backup"), data);
      await within(async (database) => {
        const epoch = await database.asOwner((owner) => declareRestored(owner));
        expect(epoch).toMatchObject({ number: 2 });
        expect(await database.asOwner((owner) => declareRestored(owner)), "it has begun already").toEqual(
          epoch,
        );
        const beyond = epoch.firstPosition + 10 * EPOCH_GAP;
        const further = await database.asOwner((owner) => declareRestored(owner, beyond));
        expect(further).toMatchObject({ number: 3 });
        expect(further.firstPosition).toBeGreaterThan(beyond);
        await database.asOwner((owner) => noteVerified(owner, further));
        expect(await append(database, 1)).toBeGreaterThanOrEqual(further.firstPosition);
        await expect(readAfter(database, lost)).rejects.toMatchObject({ code: "POSITION_LOST", epoch: 2 });
        expect((await readAfter(database, kept)).events).toHaveLength(1);
        expect(await database.asOwner((owner) => declareRestored(owner))).toMatchObject({ number: 4 });
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
