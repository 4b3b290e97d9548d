import type { SqlSession } from "@synap/database";
import { createEventStore, isVisible, ownRows } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type AuditEntry, type AuditFilter, auditLog } from "./audit-log.ts";

// SYNAP_FUZZ_SEED repeats a run.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const DAY_MS = 86_400_000;

const ACTORS = ["user:ada", "user:bob", "agent:pricing", "system"];
const STREAMS = ["a", "b", "c"];

/** An append: who did something to which aggregates, for which user, and how many days ago it happened. */
const append = fc.array(
  fc.record({
    actor: fc.constantFrom(...ACTORS),
    userId: fc.constantFrom(undefined, "ada", "bob"),
    stream: fc.constantFrom(...STREAMS),
    daysAgo: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat({ max: 400 }) },
    ),
  }),
  { minLength: 1, maxLength: 12 },
);

const noteBy = (createdBy: string, aggregateId: string, daysAgo = 0, userId?: string): SynapEvent =>
  createSynapEvent({
    type: "note.creation.completed",
    aggregateId,
    createdBy,
    ...(userId !== undefined && { userId }),
    timestamp: new Date(Date.now() - daysAgo * DAY_MS).toISOString(),
    data: { content: "noted" },
  });

describeOnEveryEngine("the audit log", (engine) => {
  const store = () => createEventStore({ database: engine.database, catalogue: seedCatalogue });
  const subject = (id: string) => ({ type: "note", id });

  /** Every page of a filter, from the newest to the oldest. */
  async function walk(
    filter: AuditFilter,
    limit: number,
    session: SqlSession = engine.database,
  ): Promise<AuditEntry[]> {
    const all: AuditEntry[] = [];
    for (let before: number | undefined; ; before = all.at(-1)?.position) {
      const page = await auditLog(session, { ...filter, before, limit });
      all.push(...page);
      if (page.length < limit) return all;
    }
  }

  it("lists every event, newest first, filtered by actor or aggregate, with any page size", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(append, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 30 }),
        async (appends, limit) => {
          for (const entries of appends) {
            const events = entries.map(({ actor, stream, daysAgo, userId }) =>
              noteBy(actor, stream, daysAgo, userId),
            );
            await store().appendBatch(events, { timestamps: "backfill" });
          }
          const log = await engine.database.query<{
            position: number;
            id: string;
            actor: string;
            stream: string;
          }>(
            `SELECT "position", id, created_by AS actor, aggregate_id AS stream FROM synap.events ORDER BY "position" DESC`,
          );
          const idsOf = (wanted: (event: (typeof log)[number]) => boolean) =>
            log.filter(wanted).map(({ id }) => id);
          const idsIn = async (filter: AuditFilter) =>
            (await walk(filter, limit)).map(({ eventId }) => eventId);
          expect(await idsIn({})).toEqual(idsOf(() => true));
          for (const actor of ACTORS) {
            expect(await idsIn({ actor })).toEqual(idsOf((event) => event.actor === actor));
          }
          for (const id of STREAMS) {
            expect(await idsIn({ subject: subject(id) })).toEqual(idsOf((event) => event.stream === id));
            const [actor = ""] = ACTORS;
            expect(await idsIn({ actor, subject: subject(id) })).toEqual(
              idsOf((event) => event.stream === id && event.actor === actor),
            );
          }
          // A position of another stream, and one between two appends.
          const middle = (log[Math.floor(log.length / 2)]?.position ?? 0) + (limit % 2);
          for (const filter of [{}, { subject: subject("a") }, { actor: "system" }]) {
            const rest = await auditLog(engine.database, { ...filter, before: middle, limit: 1_000 });
            expect(rest.map(({ position }) => position)).toEqual(
              (await walk(filter, 1_000)).map(({ position }) => position).filter((each) => each < middle),
            );
          }
        },
      ),
      { seed: SEED, numRuns: 6 },
    );
  });

  it("has for a user and an actor their own entries, whatever is asked for, with any page size", async () => {
    await fc.assert(
      fc.asyncProperty(append, fc.integer({ min: 1, max: 30 }), async (entries, limit) => {
        const events = entries.map(({ actor, stream, daysAgo, userId }) =>
          noteBy(actor, stream, daysAgo, userId),
        );
        await store().appendBatch(events, { timestamps: "backfill" });
        const all = await walk({}, 1_000);
        for (const visibility of [
          { userId: "ada" },
          { userId: "bob" },
          { createdBy: "agent:pricing" },
          { createdBy: "system" },
          { userId: "nobody" },
          { createdBy: "agent:nobody" },
        ]) {
          const session = ownRows(engine.database, visibility);
          const own = all.filter(({ userId, actor: createdBy }) =>
            isVisible({ userId, createdBy }, visibility),
          );
          expect(await walk({}, limit, session)).toEqual(own);
          for (const actor of ACTORS) {
            expect(await walk({ actor }, limit, session)).toEqual(
              own.filter((entry) => entry.actor === actor),
            );
          }
          for (const id of STREAMS) {
            expect(await walk({ subject: subject(id) }, limit, session)).toEqual(
              own.filter((entry) => entry.subjectId === id),
            );
          }
        }
      }),
      { seed: SEED, numRuns: 6 },
    );
  });

  it("shows an event as soon as it is stored, without a worker and while an earlier append is unfinished", async () => {
    if (engine.engine === "embedded") {
      const event = noteBy("user:eve", "at-once");
      await store().append(event);
      expect((await auditLog(engine.database, { limit: 1 })).map(({ eventId }) => eventId)).toEqual([
        event.id,
      ]);
      return;
    }
    const [slow, quick] = [noteBy("user:eve", "slow"), noteBy("user:eve", "quick")];
    // Makes today's chunk: a transaction that makes one keeps other appends to it waiting.
    await store().append(noteBy("system", "chunk"));
    const idsShown = async () =>
      (await auditLog(engine.database, { actor: "user:eve" })).map(({ eventId }) => eventId);
    await engine.database.transaction(async (transaction) => {
      await store().append(slow, { transaction });
      await store().append(quick);
      expect(await idsShown()).toEqual([quick.id]);
    });
    expect(await idsShown()).toEqual([quick.id, slow.id]);
  });

  it("has every event that was stored when the first page was read, whatever is stored in between", async () => {
    const events = Array.from({ length: 30 }, (_, index) => noteBy("user:walker", `w${index % 3}`));
    await store().appendBatch(events);
    const found: string[] = [];
    for (let before: number | undefined; ; ) {
      const page = await auditLog(engine.database, { actor: "user:walker", before, limit: 7 });
      found.push(...page.map(({ eventId }) => eventId));
      before = page.at(-1)?.position;
      if (page.length < 7) break;
      await store().appendBatch([noteBy("user:walker", "w0", 40), noteBy("user:walker", "w1")], {
        timestamps: "backfill",
      });
    }
    expect(found).toEqual(events.map(({ id }) => id).reverse());
  });

  it.each([
    { of: "a user", filter: { actor: "user:rare" }, indexes: ["events_actor", "events_user"] },
    { of: "an agent", filter: { actor: "agent:rare" }, indexes: ["events_actor"] },
    { of: "an aggregate", filter: { subject: { type: "note", id: "rare" } }, indexes: ["events_stream"] },
  ])("finds the entries of $of by index in all of the log", async ({ filter, indexes }) => {
    const { database } = engine;
    // More than are searched before the indexes, in a day of their own.
    for (let batch = 0; batch < 6; batch += 1) {
      await store().appendBatch(
        Array.from({ length: 1_000 }, (_, index) => noteBy("system", `many-${index}`)),
      );
    }
    await store().appendBatch(
      [
        noteBy("user:rare", "rare", 300, "rare"),
        noteBy("user:rare", "rare", 200),
        noteBy("agent:rare", "rare", 100, "rare"),
      ],
      { timestamps: "backfill" },
    );
    await database.asOwner((owner) => owner.execute("ANALYZE synap.events"));
    await database.transaction(async (transaction) => {
      const before = await countScans(transaction);
      await auditLog(transaction, { ...filter, limit: 1_000 });
      const after = await countScans(transaction);
      const used = [...after.keys()].filter((index) => after.get(index) !== before.get(index));
      expect(used).toEqual(expect.arrayContaining(indexes));
      expect(used).not.toContain("no index");
    });
  });
});

/** Counts the scans of the largest chunk by index of the hypertable. */
async function countScans(session: SqlSession): Promise<Map<string, number>> {
  const rows = await session.query<{ name: string; scans: number }>(SCANS);
  return new Map(rows.map(({ name, scans }) => [name, scans]));
}

const SCANS = `
SELECT coalesce(substring(i.indexrelid::regclass::text FROM 'events_[a-z]+'), 'no index') AS name,
       pg_stat_get_xact_numscans(coalesce(i.indexrelid, c.chunk)) AS scans
  FROM (
    SELECT chunk FROM public.show_chunks('synap.events') AS chunk ORDER BY pg_relation_size(chunk) DESC LIMIT 1
  ) AS c
 CROSS JOIN LATERAL (
    SELECT indexrelid FROM pg_index WHERE indrelid = c.chunk UNION ALL SELECT NULL
  ) AS i`;
