import { randomUUID } from "node:crypto";
import { correctionOf, type SynapEvent, seedCatalogue } from "@synap/types";
import { beforeEach, expect, it } from "vitest";
import { describeOnEveryEngine, type TestEngine } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { archiveCatalogue } from "../archive/archive-event.ts";
import { erasureCatalogue } from "../erasure/erasure-event.ts";
import { createEventStore, extendChain, readEventsAt, verifyChain } from "../internal.ts";
import { purgeCatalogue } from "../purge/purge-event.ts";
import { PurgeUnfinishedError } from "../purge/purge-events.ts";
import { syncEventTypes } from "../sql-api/sync-event-types.ts";
import { applyRetention, planRetention } from "./apply-retention.ts";
import {
  endRetentionPolicy,
  NoRetentionPolicyError,
  retentionPolicies,
  setRetentionPolicy,
  UnknownRetainedTypeError,
} from "./retention-policies.ts";

const DAY_MS = 86_400_000;
const TYPE = "note.creation.requested";
const POLICY = { type: TYPE, keepDays: 90, forgets: false, reason: "Telemetry", by: "user:ada" };
const RUN = { by: "user:cron" };
const now = Date.now();

describeOnEveryEngine("retention", (engine) => {
  beforeEach(async () => {
    await syncEventTypes(engine.database, seedCatalogue);
    await engine.database.asOwner((owner) => owner.execute("DELETE FROM synap.retention_policies"));
  });

  it("removes the events of a type that are older than its policy, and no others", async () => {
    const store = storeOf(engine);
    const [old, young, other] = [aged(91), aged(89), { ...aged(91), ...otherType() }];
    await store.appendBatch([old, young, other], { timestamps: "backfill" });
    expect([await planRetention(engine.database), await applyRetention(engine.database, RUN)]).toEqual([
      [],
      [],
    ]);
    await setRetentionPolicy(engine.database, POLICY);
    const [plan] = await planRetention(engine.database);
    expect(plan).toMatchObject({ type: TYPE, events: 1, types: { [TYPE]: 1 } });
    const [removed] = await applyRetention(engine.database, RUN);
    expect(removed).toMatchObject({ type: TYPE, events: 1 });
    expect(await storedOf(engine, [old, young, other])).toEqual([young.id, other.id]);
    const { events } = await readEventsAt(engine.database, [removed?.position ?? 0], 1_000_000);
    expect(events).toMatchObject([
      {
        type: "log.purged",
        createdBy: "user:cron",
        data: { events: 1, reason: `Retention of ${TYPE}, 90 days: Telemetry` },
      },
    ]);
    expect(await applyRetention(engine.database, RUN)).toEqual([]);
    // It is not stored again.
    const again = await store.appendBatch([old], { timestamps: "backfill" });
    expect(again).toMatchObject([{ status: "duplicate" }]);
    while (await extendChain(engine.database));
    expect((await verifyChain(engine.database)).faults).toEqual([]);
  });

  it("keeps snapshots and asks no worker to forget, unless the policy says so", async () => {
    const store = storeOf(engine);
    const open = () => engine.database.query("SELECT id FROM synap.purges WHERE finished_at IS NULL");
    const before = (await open()).length;
    for (const forgets of [false, true]) {
      const event = aged(91);
      await store.appendBatch([event], { timestamps: "backfill" });
      await snapshotOf(engine, event);
      await setRetentionPolicy(engine.database, { ...POLICY, forgets });
      await applyRetention(engine.database, RUN);
      expect(await storedOf(engine, [event])).toEqual([]);
      expect([await snapshotsOf(engine, event), (await open()).length]).toEqual(
        forgets ? [0, before + 1] : [1, before],
      );
    }
  });

  it("keeps what is on hold, what a handler has failed at, and a correction until its original is gone", async () => {
    const store = storeOf(engine);
    const held = [aged(100, { userId: "held" }), aged(100, { aggregateId: "held" }), aged(100)] as const;
    const free = aged(100);
    const [failed, parked, corrected] = [aged(100), aged(100), aged(100)];
    await store.appendBatch([...held, free, failed, parked, corrected], { timestamps: "backfill" });
    await sealFor(engine, held[2], "held");
    await sealFor(engine, free, "free");
    const original = await store.getById(corrected.id);
    if (original === undefined) throw new Error("It is not stored.");
    const correction = {
      ...seedCatalogue.completeEvent(correctionOf(original, { data: { content: "other" } })),
      timestamp: new Date(now - 101 * DAY_MS).toISOString(),
    };
    await store.appendBatch([correction], { timestamps: "backfill" });
    await engine.database.asOwner((owner) =>
      owner.execute(`
        INSERT INTO synap.subject_holds (subject, held_by, reason) VALUES ('held', 'user:court', 'Case 7');
        INSERT INTO synap.dead_letters (attempts, handler, event_id, code, reason, event)
        VALUES (1, 'mailer', '${failed.id}', 'HANDLER_FAILED', 'Acme', '{}');
        INSERT INTO synap.parked_events ("position", handler, aggregate_type, aggregate_id, event)
        SELECT "position", 'mailer', aggregate_type, aggregate_id, '{}' FROM synap.events WHERE id = '${parked.id}'`),
    );
    await setRetentionPolicy(engine.database, POLICY);
    const all = [...held, free, failed, parked, corrected, correction];
    await applyRetention(engine.database, RUN);
    expect(await storedOf(engine, all)).toEqual([...held, failed, parked, correction].map(({ id }) => id));
    await applyRetention(engine.database, RUN);
    expect(await storedOf(engine, all)).toEqual([...held, failed, parked].map(({ id }) => id));
    await engine.database.asOwner((owner) =>
      owner.execute(`
        DELETE FROM synap.subject_holds WHERE subject = 'held';
        UPDATE synap.dead_letters SET status = 'skipped' WHERE event_id = '${failed.id}';
        DELETE FROM synap.parked_events WHERE handler = 'mailer'`),
    );
    await applyRetention(engine.database, RUN);
    expect(await storedOf(engine, all)).toEqual([]);
  });

  it("finishes what was interrupted, by the policy of now, and not what somebody else purges", async () => {
    const store = storeOf(engine);
    const [old, older] = [aged(91), aged(400)];
    await store.appendBatch([old, older], { timestamps: "backfill" });
    await setRetentionPolicy(engine.database, POLICY);
    const before = new Date(now - 90 * DAY_MS).toISOString();
    await interrupted(engine, { expired: { type: TYPE, before } });
    await setRetentionPolicy(engine.database, { ...POLICY, keepDays: 365 });
    expect(await applyRetention(engine.database, RUN)).toMatchObject([{ type: TYPE, events: 1 }]);
    expect(await storedOf(engine, [old, older])).toEqual([old.id]);

    await interrupted(engine, { expired: { type: TYPE, before } });
    await endRetentionPolicy(engine.database, POLICY);
    expect(await applyRetention(engine.database, RUN)).toMatchObject([{ type: TYPE, events: 0 }]);
    expect(await storedOf(engine, [old, older])).toEqual([old.id]);

    await interrupted(engine, { userId: "nobody" });
    await expect(applyRetention(engine.database, RUN)).rejects.toThrow(PurgeUnfinishedError);
    await engine.database.asOwner((owner) =>
      owner.query("DELETE FROM synap.purges WHERE removed_at IS NULL"),
    );
  });

  it("has one policy of a type, and keeps who set and ended the others", async () => {
    const set = (keepDays: number) => setRetentionPolicy(engine.database, { ...POLICY, keepDays });
    await set(30);
    await set(60);
    expect(await engine.database.asOwner(retentionPolicies)).toEqual([
      { ...POLICY, keepDays: 60, setAt: expect.stringMatching(/^20\d\d-.*Z$/) },
    ]);
    await endRetentionPolicy(engine.database, { type: TYPE, by: "user:ben" });
    expect(await engine.database.asOwner(retentionPolicies)).toEqual([]);
    await expect(endRetentionPolicy(engine.database, POLICY)).rejects.toThrow(NoRetentionPolicyError);
    const history = await engine.database.asOwner((owner) =>
      owner.query("SELECT keep_days, set_by, ended_by FROM synap.retention_policies ORDER BY id"),
    );
    expect(history).toEqual([
      { keep_days: 30, set_by: "user:ada", ended_by: "user:ada" },
      { keep_days: 60, set_by: "user:ada", ended_by: "user:ben" },
    ]);
    // Code that reads them may have them in its catalogue.
    const records = ["events.archived", "log.purged", "subject.erased"];
    for (const catalogue of [archiveCatalogue, purgeCatalogue, erasureCatalogue])
      await syncEventTypes(engine.database, catalogue);
    for (const type of ["note.creation.request", ...records]) {
      await expect(setRetentionPolicy(engine.database, { ...POLICY, type })).rejects.toThrow(
        UnknownRetainedTypeError,
      );
    }
    await expect(set(0)).rejects.toThrow(RangeError);
  });
});

const storeOf = ({ database }: TestEngine) => createEventStore({ database, catalogue: seedCatalogue });

function aged(days: number, about: Partial<SynapEvent> = {}): SynapEvent {
  return noteEvent({ timestamp: new Date(now - days * DAY_MS).toISOString(), ...about });
}

function otherType(): Partial<SynapEvent> {
  const { type, data } = seedCatalogue.createSynapEvent({
    type: "note.creation.completed",
    data: { content: "x" },
  });
  return { type, data };
}

/** Gives a stored event a value that is sealed for a subject. */
async function sealFor({ database }: TestEngine, { id }: SynapEvent, subject: string): Promise<void> {
  const data = { content: { $sealed: `1.${"a".repeat(40)}`, subject } };
  await database.asOwner(async (owner) => {
    await owner.execute("SET LOCAL synap.purge = 'on'");
    await owner.query("UPDATE synap.events SET data = $2::text::jsonb WHERE id = $1", [
      id,
      JSON.stringify(data),
    ]);
  });
}

async function storedOf({ database }: TestEngine, events: readonly SynapEvent[]): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    "SELECT id FROM synap.events WHERE id = ANY ($1::text::uuid[])",
    [`{${events.map(({ id }) => id).join(",")}}`],
  );
  const stored = new Set(rows.map(({ id }) => id));
  return events.map(({ id }) => id).filter((id) => stored.has(id));
}

async function interrupted({ database }: TestEngine, selection: object): Promise<void> {
  await database.asOwner((owner) =>
    owner.query(
      `INSERT INTO synap.purges (id, up_to, purged_by, reason, keeps_copies, selection)
       VALUES ($1, synap.append_watermark() * 1024 + 1023, 'user:cron', 'Telemetry', true, $2::text::jsonb)`,
      [randomUUID(), JSON.stringify(selection)],
    ),
  );
}

async function snapshotOf(
  { database }: TestEngine,
  { id, aggregateType, aggregateId }: SynapEvent,
): Promise<void> {
  await database.query(
    `INSERT INTO synap.aggregate_snapshots (stream_version, event_id, aggregate_type, aggregate_id, fingerprint, checksum, state)
     VALUES (1, $1, $2, $3, '', '', '')`,
    [id, aggregateType, aggregateId],
  );
}

async function snapshotsOf({ database }: TestEngine, { id }: SynapEvent): Promise<number> {
  return (await database.query("SELECT FROM synap.aggregate_snapshots WHERE event_id = $1", [id])).length;
}
