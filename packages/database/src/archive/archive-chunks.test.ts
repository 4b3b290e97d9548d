import { randomUUID } from "node:crypto";
import { type SynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  AFTER_ALL,
  type ArchiveInMemory,
  archiveInto,
  exportInto,
  keepUp,
  restoreFrom,
} from "../../testing/archived-chunks.ts";
import { describeOnEveryEngine, type TestEngine } from "../../testing/index.ts";
import { noteEvents } from "../../testing/test-events.ts";
import { countEvents } from "../bookkeeping/count-events.ts";
import { extendChain } from "../chain/extend-chain.ts";
import { verifyChain } from "../chain/verify-chain.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { createEventStore } from "../internal.ts";
import { verifyTables } from "../restore/verify-tables.ts";
import { ArchiveDamagedError, ArchiveOutdatedError, ArchiveStateError } from "./archive-errors.ts";
import { archivedChunks, archivedEvents } from "./archived-chunk.ts";
import { dropArchivedChunk } from "./drop-chunk.ts";
import { dueChunks } from "./due-chunks.ts";
import { beginExport, markVerified } from "./export-chunk.ts";

const DAY_MS = 86_400_000;
const MONDAY = Date.UTC(2024, 0, 1);

/** Events of some days in turns, so that each chunk has positions between those of others, with values that are easily changed on a way. */
function events(days: number, count: number, about: Partial<SynapEvent> = {}): SynapEvent[] {
  return noteEvents(count, (index) => ({
    timestamp: new Date(MONDAY + (index % days) * DAY_MS + index).toISOString(),
    aggregateId: `${String(about.userId)}-${index % 7}`,
    data: { content: `"\\ \u00fc\u{1f600} ${index}` },
    ...(index % 3 === 0 && { metadata: { number: 1.5e-7, nested: [null, "", { deep: true }] } }),
    ...(index % 4 === 0 && {
      idempotencyKey: randomUUID(),
      correlationId: " x",
      validTo: "2030-01-01T00:00:00.000Z",
    }),
    ...about,
  }));
}

async function append({ database }: TestEngine, batch: readonly SynapEvent[]): Promise<void> {
  const store = createEventStore({ database, catalogue: seedCatalogue });
  const outcomes = await store.appendBatch(batch, { timestamps: "backfill" });
  expect(outcomes.filter(({ status }) => status !== "stored")).toEqual([]);
  await keepUp(database);
}

/** The log as text, each value as PostgreSQL writes it. */
async function logText({ database }: TestEngine): Promise<readonly string[]> {
  const rows = await database.query<{ row: string }>(
    "SELECT e::text AS row FROM synap.events AS e WHERE e.type <> 'events.archived' ORDER BY e.\"position\"",
  );
  return rows.map(({ row }) => row);
}

describeOnEveryEngine("archived chunks", (engine) => {
  const kept: ArchiveInMemory = new Map();

  it("any of them, archived and restored in any order, gives the same log, and the chain knows of each step", async () => {
    await append(engine, [...events(4, 60, { userId: "one" }), ...events(5, 300, { userId: "two" })]);
    const before = await logText(engine);
    const all = (await dueChunks(engine.database, AFTER_ALL)).map(({ chunk }) => chunk);
    expect(all).toHaveLength(4);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.nat(3), { minLength: 1 }),
        fc.infiniteStream(fc.nat(100)),
        async (which, order) => {
          const due = (await dueChunks(engine.database, AFTER_ALL)).map(({ chunk }) => chunk);
          const chosen = which.map((index) => due[index] ?? "");
          let events = 0;
          for (const chunk of chosen) {
            await archiveInto(kept, engine.database, chunk);
            while (await extendChain(engine.database));
            events += kept.get(chunk)?.length ?? 0;
          }
          const { faults, archived } = await verifyChain(engine.database);
          expect(faults).toEqual([]);
          expect(archived).toEqual({ chunks: chosen.length, events });
          expect(await logText(engine)).toHaveLength(before.length - events);
          expect(await engine.database.asOwner(verifyTables)).toEqual([]);
          const back = chosen
            .map((chunk) => ({ chunk, place: order.next().value }))
            .sort((a, b) => a.place - b.place);
          for (const { chunk } of back) await restoreFrom(kept, engine.database, chunk);
          expect(await logText(engine)).toEqual(before);
          expect((await verifyChain(engine.database)).faults).toEqual([]);
        },
      ),
      { numRuns: 2 },
    );
    expect(await engine.database.asOwner(verifyTables)).toEqual([]);
    expect(await archivedEvents(engine.database)).toEqual({ chunks: 0, events: 0 });
  });

  it("neither the newest chunk is due, nor one with events that the chain does not have yet", async () => {
    const due = await dueChunks(engine.database, AFTER_ALL);
    const newest = Math.max(...due.map(({ to }) => Date.parse(to)));
    expect(newest).toBeLessThan(MONDAY + 5 * DAY_MS);
    expect(await dueChunks(engine.database, new Date(MONDAY + DAY_MS))).toHaveLength(1);
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    await store.appendBatch(events(1, 1, { userId: "late" }), { timestamps: "backfill" });
    expect(await dueChunks(engine.database, AFTER_ALL)).toHaveLength(due.length - 1);
    while (await extendChain(engine.database));
    expect(await dueChunks(engine.database, AFTER_ALL)).toHaveLength(due.length - 1);
    while (await countEvents(engine.database));
    expect(await dueChunks(engine.database, AFTER_ALL)).toHaveLength(due.length);
  });

  it("is archived beside a verification, which finds no fault", async () => {
    const { database } = engine;
    const [first] = await dueChunks(database, AFTER_ALL);
    const { chunk = "" } = first ?? {};
    let reads = 0;
    // The chunk is dropped between the statement that lists the chunks and the one that counts its events.
    const session: SqlSession = {
      query: async (text, parameters) => {
        const isCount = /^\s*SELECT count\(\*\) AS events\s+FROM synap.events/.test(text);
        if (isCount) reads += 1;
        if (isCount && reads === 1) await archiveInto(kept, database, chunk);
        return database.query(text, parameters);
      },
    };
    expect((await verifyChain(session)).faults).toEqual([]);
    expect(reads).toBeGreaterThan(1);
    await restoreFrom(kept, database, chunk);
    while (await extendChain(database));
  });

  it("is not dropped when an event came since it was read, nor unless it was read back", async () => {
    const [first] = await dueChunks(engine.database, AFTER_ALL);
    const { chunk = "" } = first ?? {};
    await expect(dropArchivedChunk(engine.database, chunk)).rejects.toThrow(ArchiveStateError);
    await exportInto(kept, engine.database, chunk);
    await append(engine, events(1, 1, { userId: "later" }));
    await expect(dropArchivedChunk(engine.database, chunk)).rejects.toThrow(ArchiveOutdatedError);
    await archiveInto(kept, engine.database, chunk);
    const [archived] = await archivedChunks(engine.database).then((list) =>
      list.filter((each) => each.chunk === chunk),
    );
    expect(archived).toMatchObject({ state: "dropped", archivedBy: "user:ada" });
  });

  it("of two runs at a time, the one that was read back says where the events are, and none begins again what was dropped", async () => {
    const [due] = await dueChunks(engine.database, AFTER_ALL);
    if (due === undefined) throw new Error("No chunk is due.");
    const { chunk } = due;
    const stateOf = async () =>
      (await archivedChunks(engine.database)).find((archived) => archived.chunk === chunk);
    await exportInto(kept, engine.database, chunk);
    const exported = await stateOf();
    const { digest = "" } = exported ?? {};
    const [one, other] = ["file:///one", "file:///other"].map((destination) => ({
      destination,
      format: "parquet",
      by: `user:${destination.slice(8)}`,
    }));
    if (one === undefined || other === undefined) throw new Error("There are two.");
    await beginExport(engine.database, due, one);
    await beginExport(engine.database, due, other);
    const files = [{ name: "one", bytes: 1, sha256: "1".repeat(64) }];
    await markVerified(engine.database, chunk, { ...due, ...one, digest, files });
    await expect(
      markVerified(engine.database, chunk, { ...due, ...other, digest, files: [] }),
    ).rejects.toThrow(ArchiveStateError);
    expect(await stateOf()).toMatchObject({ state: "verified", destination: one.destination, files });

    // As it is for a run that saw the chunk before another one dropped it.
    const set = (state: string) =>
      engine.database.asOwner((owner) =>
        owner.query("UPDATE synap.archived_chunks SET state = $2 WHERE chunk = $1", [chunk, state]),
      );
    await set("dropped");
    await expect(beginExport(engine.database, due, other)).rejects.toThrow(`The chunk ${chunk} is dropped`);
    expect(await stateOf()).toMatchObject({ state: "dropped", destination: one.destination, files, digest });
    await set("verified");
    kept.delete(chunk);
  });

  it("neither an id nor a key nor a version of them is given out again", async () => {
    const [row] = [...kept.values()].at(-1) ?? [];
    if (row === undefined) throw new Error("Nothing is archived.");
    const store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const [repeated] = events(1, 1, { id: String(row["id"]), userId: "other" });
    if (repeated === undefined) throw new Error("No event was made.");
    expect(await store.append(repeated, { timestamps: "backfill" })).toMatchObject({
      status: "duplicate",
      position: Number(row["position"]),
    });
    const stream = { aggregateType: String(row["aggregate_type"]), aggregateId: String(row["aggregate_id"]) };
    const { streamVersion = 0 } = (await store.getStream(stream)) ?? {};
    const { aggregateId, ...next } = { ...events(1, 1)[0], ...stream } as SynapEvent;
    expect(await store.append({ ...next, aggregateId }, { timestamps: "backfill" })).toMatchObject({
      streamVersion: streamVersion + 1,
    });
  });

  it("is restored whole or not at all, and from nothing else than what was archived", async () => {
    const before = await logText(engine);
    const [archived] = (await archivedChunks(engine.database)).filter(({ state }) => state === "dropped");
    const { chunk = "" } = archived ?? {};
    const without = restoreFrom(kept, engine.database, chunk, (rows) => rows.slice(0, -1));
    await expect(without).rejects.toThrow(ArchiveDamagedError);
    const changed = restoreFrom(kept, engine.database, chunk, ([first, ...rest]) => [
      { ...first, user_id: "eve" },
      ...rest,
    ]);
    await expect(changed).rejects.toThrow(ArchiveDamagedError);
    expect(await logText(engine)).toEqual(before);
    await restoreFrom(kept, engine.database, chunk);
    await expect(restoreFrom(kept, engine.database, chunk)).rejects.toThrow(ArchiveStateError);
    while (await extendChain(engine.database));
    expect((await verifyChain(engine.database)).faults).toEqual([]);
  });

  it("a chunk that is dropped under the name of an archive, which the log does not record, is a fault", async () => {
    const [first] = await dueChunks(engine.database, AFTER_ALL);
    const { chunk = "" } = first ?? {};
    await archiveInto(kept, engine.database, chunk);
    while (await extendChain(engine.database));
    const found: string[] = [];
    await engine.database
      .asOwner(async (owner) => {
        // An archived event may be the record of another chunk, but not of the one that it is in.
        await owner.query(`UPDATE synap.archived_chunks SET "position" = last_position WHERE chunk = $1`, [
          chunk,
        ]);
        found.push(...(await verifyChain(owner)).faults.map(({ kind }) => kind));
        await owner.query("UPDATE synap.archived_chunks SET digest = sha256('') WHERE chunk = $1", [chunk]);
        found.push(...(await verifyChain(owner)).faults.map(({ kind }) => kind));
        await owner.query("DELETE FROM synap.archived_chunks WHERE chunk = $1", [chunk]);
        found.push(...(await verifyChain(owner)).faults.map(({ kind }) => kind));
        throw new Error("taken back");
      })
      .catch((error: unknown) => expect(error).toMatchObject({ message: "taken back" }));
    expect(found).toEqual(["archive-unrecorded", "archive-unrecorded", "archive-unrecorded"]);
    await restoreFrom(kept, engine.database, chunk);
  });
});
