import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StoredEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import { type Database, type EventStore, migrate, openDatabase } from "../index.ts";
import { createEventStore } from "../internal.ts";
import { CompressionUnavailableError, compressEvents } from "./compress-events.ts";

const DAY_MS = 86_400_000;
/** A Monday in the past; the events lie in three days from here, one chunk each. */
const MONDAY = Date.UTC(2024, 0, 1);
const THURSDAY = new Date(MONDAY + 3 * DAY_MS);

describeOnEveryEngine("compression", (engine) => {
  it("is refused with a typed error where the edition lacks it, and changes nothing", async () => {
    const { database } = engine;
    if (database.capabilities.edition === "community") return;
    await expect(compressEvents(database, { before: THURSDAY })).rejects.toThrow(CompressionUnavailableError);
  });
});

describe("events in compressed chunks", () => {
  let directory: string;
  let database: Database;
  let store: EventStore;
  let events: SynapEvent[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "synap-compression-"));
    await open();
    await migrate(database);
    events = noteEvents(3_000, (index) => ({
      timestamp: new Date(MONDAY + index * (DAY_MS / 1_000)).toISOString(),
      aggregateId: `note-${index % 7}`,
      userId: `user-${index % 3}`,
      correlationId: `flow-${Math.floor(index / 10)}`,
      ...(index % 5 === 0 ? { metadata: { place: index, nested: [null, { yes: true }] } } : {}),
    }));
    await store.appendBatch(events, { timestamps: "backfill" });
  });

  afterAll(async () => {
    await database.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(): Promise<void> {
    database = await openDatabase({ dataDirectory: directory });
    store = createEventStore({ database, catalogue: seedCatalogue });
  }

  it("are read as before by every method, and take less space", async () => {
    const before = await readEverything(store, events);
    const compressed = await compressEvents(database, { before: THURSDAY });
    expect(compressed.map(({ from }) => from.valueOf())).toEqual([
      MONDAY,
      MONDAY + DAY_MS,
      MONDAY + 2 * DAY_MS,
    ]);
    for (const { bytesBefore, bytesAfter } of compressed) expect(bytesAfter).toBeLessThan(bytesBefore / 2);
    expect(await readEverything(store, events)).toEqual(before);
  });

  it("are read as before when the directory is opened again", async () => {
    const before = await readEverything(store, events);
    await database.close();
    await open();
    expect(await readEverything(store, events)).toEqual(before);
  });

  it("are compressed once, and days outside the request are left alone", async () => {
    await store.append(noteEvent({ timestamp: THURSDAY.toISOString() }), { timestamps: "backfill" });
    expect(await compressEvents(database, { before: new Date(THURSDAY.valueOf() + DAY_MS - 1) })).toEqual([]);
  });

  it.each([
    "UPDATE synap.events SET source = 'forged'",
    `UPDATE synap.events SET source = 'forged' WHERE "timestamp" < '2024-01-02'`,
    "DELETE FROM synap.events",
    `DELETE FROM synap.events WHERE "timestamp" < '2024-01-02'`,
    "TRUNCATE synap.events",
  ])("can't be changed, even by the owner: %s", async (statement) => {
    await expect(database.asOwner((owner) => owner.query(statement))).rejects.toMatchObject({
      code: "SY002",
    });
  });

  it.each(["UPDATE CHUNK SET source = 'forged'", "DELETE FROM CHUNK"])(
    "can't be changed through their chunk: %s",
    async (statement) => {
      const before = await readEverything(store, events);
      const [row] = await database.query<{ chunk: string }>(
        "SELECT min(c::text) AS chunk FROM public.show_chunks('synap.events') AS c",
      );
      const change = statement.replace("CHUNK", row?.chunk ?? "");
      await database.asOwner((owner) => owner.query(change));
      expect(await readEverything(store, events)).toEqual(before);
      await expect(database.query(change)).rejects.toMatchObject({ code: "42501" });
    },
  );

  it("accept late events, which are read in order, recognised as duplicates and compressed with them", async () => {
    const late = noteEvent({
      timestamp: new Date(MONDAY + DAY_MS / 2 + 7).toISOString(),
      aggregateId: "note-1",
    });
    const [first] = await store.appendBatch([late], { timestamps: "backfill" });
    expect(first).toMatchObject({ status: "stored" });
    expect(await store.appendBatch([late], { timestamps: "backfill" })).toMatchObject([
      { status: "duplicate" },
    ]);
    events = [...events, late];

    const found = await readEverything(store, events);
    expect(found.ids.at(-1)).toMatchObject({ id: late.id });
    expect(found.stream.at(-1)).toMatchObject({ id: late.id });
    expect(found.range.map(({ id }) => id)).toContain(late.id);

    const compressed = await compressEvents(database, { before: THURSDAY });
    expect(compressed.map(({ from }) => from.valueOf())).toEqual([MONDAY]);
    expect(await readEverything(store, events)).toEqual(found);
    expect(await compressEvents(database, { before: THURSDAY })).toEqual([]);
  });

  it("can be purged by the owner, as any event", async () => {
    const [victim] = events.slice(1_500);
    if (victim === undefined) throw new Error("There is no event to purge.");
    const undone = database.asOwner(async (owner) => {
      await owner.query("SET LOCAL synap.purge = 'on'");
      const gone = await owner.query(
        `DELETE FROM synap.events WHERE "timestamp" = $1 AND id = $2 RETURNING id`,
        [new Date(victim.timestamp), victim.id],
      );
      expect(gone).toEqual([{ id: victim.id }]);
      throw new Error("enough");
    });
    await expect(undone).rejects.toThrow("enough");
    expect(await store.getById(victim.id)).toMatchObject({ data: victim.data });
  });
});

/** Reads events with every method of the store. */
async function readEverything(store: EventStore, events: readonly SynapEvent[]) {
  const all: StoredEvent[] = [];
  for (let after = 0, more = true; more; ) {
    const page = await store.readAll({ after, limit: 700 });
    all.push(...page.events);
    after = page.position;
    more = !page.caughtUp;
  }
  const stream: StoredEvent[] = [];
  for await (const event of store.readStream({ aggregateType: "note", aggregateId: "note-1" })) {
    stream.push(event);
  }
  const asked = events.filter((_event, index) => index % 500 === 0 || index === events.length - 1);
  const page = async (filter: Parameters<EventStore["query"]>[0], order: "asc" | "desc") =>
    (await store.query(filter, { limit: 300, order })).events;
  return {
    all,
    stream,
    ids: await Promise.all(asked.map(({ id }) => store.getById(id))),
    range: await page({ from: new Date(MONDAY + DAY_MS / 2), to: THURSDAY }, "asc"),
    latest: await page({ to: THURSDAY }, "desc"),
    ofType: await page({ types: ["note.creation.requested"], to: THURSDAY }, "desc"),
    ofUser: await page({ userId: "user-2" }, "asc"),
    ofFlow: await page({ correlationId: "flow-77" }, "asc"),
  };
}
