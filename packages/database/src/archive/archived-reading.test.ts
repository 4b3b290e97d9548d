import { randomUUID } from "node:crypto";
import { correctionOf, type StoredEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import {
  AFTER_ALL,
  type ArchiveInMemory,
  archiveInto,
  keepUp,
  restoreFrom,
} from "../../testing/archived-chunks.ts";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { exportSubject } from "../erasure/export-subject.ts";
import type { EventPage, EventStore } from "../index.ts";
import { createEventStore, ownRows, readCommitted, readEventsAt, visibleEventStats } from "../internal.ts";
import { planPurge } from "../purge/plan-purge.ts";
import { purgeEvents } from "../purge/purge-events.ts";
import { dueChunks } from "./due-chunks.ts";

const DAY_MS = 86_400_000;
const MONDAY = Date.UTC(2024, 0, 1);
const ARCHIVED = { code: "EVENTS_ARCHIVED" };
const OLD = { aggregateType: "note", aggregateId: "old" };
const BOTH = { aggregateType: "note", aggregateId: "both" };
const NEW = { aggregateType: "note", aggregateId: "new" };

/** Three events a day of four days: "old" is of the first two, "both" of all, "new" of the last two. One append a day. */
const days = [0, 1, 2, 3].map((day) =>
  [day < 2 ? OLD : NEW, BOTH, BOTH].map((stream, index) =>
    noteEvent({
      ...stream,
      timestamp: new Date(MONDAY + day * DAY_MS + index * 1_000).toISOString(),
      userId: day < 2 ? "early" : "late",
      createdBy: day < 2 ? "agent:early" : "agent:late",
      correlationId: day < 2 ? "early" : "late",
      idempotencyKey: randomUUID(),
    }),
  ),
);
const [monday, , wednesday, thursday] = days as [SynapEvent[], SynapEvent[], SynapEvent[], SynapEvent[]];
const ids = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id);

/** Reads all pages of a list, until one is refused. */
async function listed(read: (cursor: string | undefined) => Promise<EventPage>) {
  const found: StoredEvent[] = [];
  for (let cursor: string | undefined; ; ) {
    const page: EventPage | "refused" = await read(cursor).catch((error: unknown) => {
      expect(error).toMatchObject(ARCHIVED);
      return "refused" as const;
    });
    if (page === "refused") return { found: ids(found), end: "refused" };
    found.push(...page.events);
    cursor = page.nextCursor;
    if (cursor === undefined) return { found: ids(found), end: "end" };
  }
}

describeOnEveryEngine("readers of archived events", (engine) => {
  const archive: ArchiveInMemory = new Map();
  let store: EventStore;
  let chunks: readonly string[];
  let first: number;

  beforeAll(async () => {
    store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    for (const day of days) await store.appendBatch(day, { timestamps: "backfill" });
    await keepUp(engine.database);
    const due = await dueChunks(engine.database, AFTER_ALL);
    first = due[0]?.firstPosition ?? 0;
    chunks = due.slice(0, 2).map(({ chunk }) => chunk);
    for (const chunk of chunks) await archiveInto(archive, engine.database, chunk);
  });

  const names = () => expect.objectContaining({ ...ARCHIVED, chunk: chunks[0], firstPosition: first });

  it("of the log are refused where the next event is archived, and nowhere else", async () => {
    await expect(store.readAll({ after: 0, limit: 100 })).rejects.toEqual(names());
    await expect(store.readAll({ after: 0, limit: 100 })).rejects.toThrow(
      `synap archive restore ${chunks[0]}`,
    );
    await expect(store.readAll({ after: first, limit: 100 })).rejects.toMatchObject(ARCHIVED);
    await expect(store.readAll({ after: first + 2, limit: 1 })).rejects.toMatchObject({
      ...ARCHIVED,
      chunk: chunks[1],
    });
    const last = (await dueChunks(engine.database, AFTER_ALL))[0]?.firstPosition ?? 0;
    const { events, caughtUp } = await store.readAll({ after: last - 1, limit: 100 });
    expect(ids(events).slice(0, 6)).toEqual(ids([...wednesday, ...thursday]));
    expect(caughtUp).toBe(true);
    const subscription = store.subscribeToAll({ from: "start" })[Symbol.asyncIterator]();
    await expect(subscription.next()).rejects.toMatchObject(ARCHIVED);
  });

  it("of the log have the events before them, and go on after the restore", async () => {
    await restoreFrom(archive, engine.database, chunks[0] ?? "");
    const page = await store.readAll({ after: 0, limit: 100 });
    expect(ids(page.events)).toEqual(ids(monday));
    expect(page.caughtUp).toBe(false);
    await expect(store.readAll({ after: page.position, limit: 100 })).rejects.toMatchObject({
      chunk: chunks[1],
    });
    const filtered = await store.readAll({ after: 0, limit: 100, types: ["task.creation.requested"] });
    expect(filtered).toMatchObject({ events: [], position: page.position, caughtUp: false });
    // It has no page that could end before them.
    const committed = engine.database.transaction((transaction) =>
      readCommitted(transaction, { after: 0, types: "all", limit: 100 }),
    );
    await expect(committed).rejects.toMatchObject({ ...ARCHIVED, chunk: chunks[1] });
    await keepUp(engine.database);
    const again = (await dueChunks(engine.database, AFTER_ALL))[0]?.chunk ?? "";
    await archiveInto(archive, engine.database, again);
    chunks = [again, chunks[1] ?? ""];
  });

  it("of a list get what comes before the archived events, and are then refused, unless none of theirs is archived", async () => {
    const list = (filter: Parameters<EventStore["query"]>[0], order: "asc" | "desc", limit: number) =>
      listed((cursor) => store.query(filter, { order, limit, cursor }));
    const notes = { aggregateType: "note" };
    const recent = ids([...wednesday, ...thursday]);
    const newest = [...recent].reverse();
    expect(await list(notes, "desc", 4)).toEqual({ found: newest, end: "refused" });
    expect(await list(notes, "desc", 6)).toEqual({ found: newest, end: "refused" });
    expect(await list(notes, "desc", 100)).toEqual({ found: newest, end: "refused" });
    expect(await list({ ...notes, from: new Date(MONDAY + 2 * DAY_MS) }, "desc", 4)).toEqual({
      found: newest,
      end: "end",
    });
    expect(await list({ ...notes, to: new Date(MONDAY + DAY_MS) }, "desc", 4)).toEqual({
      found: [],
      end: "refused",
    });
    expect(await list(notes, "asc", 4)).toEqual({ found: [], end: "refused" });
    expect(await list({ userId: "late" }, "asc", 4)).toEqual({ found: recent, end: "end" });
    expect(await list({ userId: "early" }, "asc", 4)).toEqual({ found: [], end: "refused" });
    expect(await list({ correlationId: "late" }, "asc", 100)).toEqual({ found: recent, end: "end" });
    expect(await list({ createdBy: "agent:late" }, "desc", 100)).toEqual({ found: newest, end: "end" });
    expect(await list({ ...notes, types: ["note.creation.completed"] }, "desc", 100)).toEqual({
      found: [],
      end: "end",
    });
    expect(await list(NEW, "asc", 100)).toEqual({
      found: ids([wednesday, thursday].map(([event]) => event as SynapEvent)),
      end: "end",
    });
    expect((await list(BOTH, "desc", 3)).end).toBe("refused");
    expect((await list(OLD, "desc", 3)).end).toBe("refused");
    const late = store.visibleTo({ userId: "late" });
    expect(await listed((cursor) => late.query({}, { order: "asc", limit: 4, cursor }))).toEqual({
      found: recent,
      end: "end",
    });
    const early = store.visibleTo({ userId: "early" });
    await expect(early.query({}, { order: "desc", limit: 4 })).rejects.toMatchObject(ARCHIVED);
  });

  it("of a stream are refused where the first wanted version is archived", async () => {
    await expect(store.readStreamPage(BOTH)).rejects.toMatchObject(ARCHIVED);
    await expect(store.readStreamPage(BOTH, { fromVersion: 4 })).rejects.toMatchObject(ARCHIVED);
    expect(ids((await store.readStreamPage(BOTH, { fromVersion: 5 })).events)).toEqual(
      ids([...wednesday.slice(1), ...thursday.slice(1)]),
    );
    const back = await store.readStreamPage(BOTH, { direction: "backwards", pageSize: 6 });
    expect(back.events.map(({ streamVersion }) => streamVersion)).toEqual([8, 7, 6, 5]);
    expect(back.nextVersion).toBe(4);
    const reading = async () => {
      const versions: number[] = [];
      for await (const { streamVersion } of store.readStream(BOTH, { direction: "backwards" }))
        versions.push(streamVersion);
      return versions;
    };
    await expect(reading()).rejects.toMatchObject(ARCHIVED);
    expect(await store.getStream(OLD)).toMatchObject({ streamVersion: 2 });
    expect((await store.readStreamPage(NEW)).events).toHaveLength(2);
    await expect(store.visibleTo({ userId: "early" }).readStreamPage(BOTH)).rejects.toMatchObject(ARCHIVED);
  });

  it("of an event, of some positions and of a range are refused", async () => {
    await expect(store.getById(monday[0]?.id ?? "")).rejects.toEqual(names());
    expect(await store.getById(randomUUID())).toBeUndefined();
    expect(await store.getById(thursday[0]?.id ?? "")).toBeDefined();
    expect(await store.visibleTo({ userId: "early" }).getById(monday[0]?.id ?? "")).toBeUndefined();
    await expect(readEventsAt(engine.database, [first], 1_000)).rejects.toMatchObject(ARCHIVED);
    await engine.database.transaction(async (transaction) => {
      await expect(
        transaction.savepoint((inner) => readCommitted(inner, { after: 0, types: "all", limit: 100 })),
      ).rejects.toMatchObject(ARCHIVED);
    });
  });

  it("in SQL get an error with its own state, and rows where nothing is archived", async () => {
    const { database } = engine;
    const refused = (text: string) => expect(database.query(text)).rejects.toMatchObject(ARCHIVED);
    await refused("SELECT * FROM synap.get_events(0)");
    await refused("SELECT * FROM synap.get_aggregate_events('note', 'both')");
    await refused("SELECT * FROM synap.get_aggregate_events('note', 'both', 4)");
    await refused("SELECT * FROM synap.get_events_in_force()");
    expect(await database.query("SELECT FROM synap.get_aggregate_events('note', 'both', 5)")).toHaveLength(4);
    expect(await database.query("SELECT FROM synap.get_aggregate_events('note', 'new')")).toHaveLength(2);
    expect(
      await database.query(
        "SELECT FROM synap.get_events_in_force(aggregate_type => 'note', aggregate_id => 'new')",
      ),
    ).toHaveLength(2);
  });

  it("in SQL take a new snapshot once they have looked at the archive, so that a chunk restored meanwhile is read", async () => {
    const rows = await engine.database.query<{ name: string; volatility: string }>(`
      SELECT p.oid::regproc::text AS name, p.provolatile AS volatility
        FROM pg_proc AS p
       WHERE p.pronamespace IN ('synap'::regnamespace, 'synap_visible'::regnamespace)
         AND p.prosrc ~ '(archived_before|before_archived|refuse_archived_entries_of_user|appends_up_to|next_appends)\\('
       ORDER BY 1`);
    expect(rows.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "synap.audit_entries",
        "synap.get_aggregate_events",
        "synap.get_events_in_force",
      ]),
    );
    expect(rows.filter(({ volatility }) => volatility !== "v")).toEqual([]);
  });

  it("of the audit log and of figures are refused what they would lack", async () => {
    const audit = (actor: string | null, type: string | null, id: string | null, most: number) =>
      engine.database.query("SELECT FROM synap.audit_entries($1, $2, $3, NULL, $4)", [actor, type, id, most]);
    expect(await audit(null, null, null, 5)).toHaveLength(5);
    await expect(audit(null, null, null, 100)).rejects.toMatchObject(ARCHIVED);
    expect(await audit("agent:late", null, null, 100)).toHaveLength(6);
    await expect(audit("agent:early", null, null, 1)).rejects.toMatchObject(ARCHIVED);
    expect(await audit(null, "note", "new", 100)).toHaveLength(2);
    await expect(audit(null, "note", "both", 100)).rejects.toMatchObject(ARCHIVED);
    const own = (userId: string) =>
      ownRows(engine.database, { userId }).query(
        "SELECT FROM synap.audit_entries(NULL, NULL, NULL, NULL, 100)",
      );
    expect(await own("late")).toHaveLength(6);
    await expect(own("early")).rejects.toMatchObject(ARCHIVED);
    const period = { from: "2024-01-01", to: "2024-01-05", limit: 10 };
    expect(await visibleEventStats(engine.database, { userId: "late" }, period)).toMatchObject({ events: 6 });
    await expect(visibleEventStats(engine.database, { userId: "early" }, period)).rejects.toMatchObject(
      ARCHIVED,
    );
    expect(await visibleEventStats(engine.database, { all: true }, period)).toMatchObject({ events: 12 });
  });

  it("of a stream with purged versions get the others", async () => {
    const stream = { aggregateType: "note", aggregateId: "purged" };
    const events = [1, 2, 3].map(() => noteEvent(stream));
    await store.appendBatch(events);
    const selection = { ids: ids(events.slice(1, 2)) };
    await purgeEvents(engine.database, { selection, reason: "Request 1", by: "user:ada" });
    const { events: rest } = await store.readStreamPage(stream);
    expect(rest.map(({ streamVersion }) => streamVersion)).toEqual([1, 3]);
  });

  it("can't export a subject, nor purge an archived event, nor correct one", async () => {
    const keys = { find: async () => new Map() };
    await expect(exportSubject(engine.database, keys, "late").next()).rejects.toMatchObject(ARCHIVED);
    for (const selection of [{ ids: ids(monday) }, { stream: BOTH }, { userId: "early" }]) {
      await expect(planPurge(engine.database, selection)).rejects.toEqual(names());
      const purge = purgeEvents(engine.database, { selection, reason: "Request 1", by: "user:ada" });
      await expect(purge).rejects.toEqual(names());
    }
    expect(await planPurge(engine.database, { userId: "late" })).toMatchObject({ events: 6 });
    const [archived] = monday;
    const [kept] = thursday;
    if (archived === undefined || kept === undefined) throw new Error("No event was made.");
    const corrections = [archived, kept].map((event) =>
      seedCatalogue.createSynapEvent({
        ...correctionOf(event as never, { data: { content: "else" }, reason: "wrong" }),
        userId: event.userId,
        createdBy: "agent:late",
      } as never),
    );
    expect(await store.appendBatch(corrections, { timestamps: "backfill" })).toMatchObject([
      { status: "rejected", issues: [{ code: "amended-event-archived" }] },
      { status: "stored" },
    ]);
  });

  it("a correction of an event that was archived since it was checked is refused, not stored without effect", async () => {
    const original = await engine.database.query<{ id: string; row: string }>(
      'SELECT e.id, row_to_json(e)::text AS row FROM synap.events AS e WHERE e."position" = $1',
      [first],
    );
    expect(original).toEqual([]);
    const [stored] = archive.get(chunks[0] ?? "") ?? [];
    const corrected = {
      ...stored,
      id: randomUUID(),
      idempotency_key: null,
      data: {},
      metadata: { corrects: stored?.["id"] },
    };
    // As an append does that was checked before the chunk was dropped.
    await expect(
      engine.database.query("SELECT synap.append_new_event($1::text::json)", [JSON.stringify(corrected)]),
    ).rejects.toMatchObject({ message: expect.stringContaining("amends one that is archived") });
  });

  it("have everything again after the restore", async () => {
    for (const chunk of chunks) await restoreFrom(archive, engine.database, chunk);
    const { events } = await store.readAll({ after: 0, limit: 100 });
    expect(ids(events).slice(0, 12)).toEqual(ids(days.flat()));
    expect(ids((await store.readStreamPage(OLD)).events)).toHaveLength(2);
    expect(await store.getById(monday[0]?.id ?? "")).toMatchObject({ id: monday[0]?.id });
  });
});
