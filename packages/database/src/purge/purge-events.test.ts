import { randomUUID } from "node:crypto";
import { correctionOf, type SynapEvent, seedCatalogue } from "@synap/types";
import { describe, expect, it } from "vitest";
import { describeOnEveryEngine, type TestEngine } from "../../testing/index.ts";
import { postEvent } from "../../testing/post-event.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import type { EventStore, Transaction } from "../index.ts";
import { compressEvents, createEventStore, extendChain, verifyChain } from "../internal.ts";
import { syncEventTypes } from "../sql-api/sync-event-types.ts";
import { planPurge } from "./plan-purge.ts";
import { continuePurge, NoPurgeToContinueError, PurgeUnfinishedError, purgeEvents } from "./purge-events.ts";
import type { PurgeSelection } from "./purge-selection.ts";

const DAY_MS = 86_400_000;
const MONDAY = Date.UTC(2024, 0, 1);
const REQUEST = { reason: "Request 118 of the data protection officer", by: "user:ada" };

const storeOf = ({ database }: TestEngine) => createEventStore({ database, catalogue: seedCatalogue });

/** Events of three days, one chunk each, of which each third has a canary as its content. */
function withCanaries(canary: string, count: number, about: Partial<SynapEvent> = {}): SynapEvent[] {
  return noteEvents(count, (index) => ({
    timestamp: new Date(MONDAY + index * Math.floor((3 * DAY_MS) / count)).toISOString(),
    ...about,
    ...(index % 3 === 0 && {
      userId: canary,
      data: { content: `of ${canary}` },
      idempotencyKey: `${canary}-${index}`,
      correlationId: canary,
      metadata: { of: canary },
    }),
  }));
}

async function readAll(
  store: EventStore,
): Promise<{ position: number; streamVersion: number; data: unknown }[]> {
  const events = [];
  for (let after = 0; ; ) {
    const page = await store.readAll({ after, limit: 1_000 });
    events.push(
      ...page.events.map(({ position, streamVersion, data }) => ({ position, streamVersion, data })),
    );
    if (page.caughtUp) return events;
    after = page.position;
  }
}

/** Finds the tables of the schema that have a text somewhere in a row. */
async function tablesWith(engine: TestEngine, text: string): Promise<string[]> {
  return engine.database.asOwner(async (owner) => {
    const tables = await owner.query<{ name: string }>(
      "SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = 'synap'::regnamespace AND relkind IN ('r', 'p')",
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await owner.query(`SELECT FROM ${name} AS t WHERE strpos(t::text, $1) > 0 LIMIT 1`, [
        text,
      ]);
      if (rows.length > 0) found.push(name);
    }
    return found;
  });
}

async function extendWhole({ database }: TestEngine): Promise<void> {
  while (await extendChain(database));
}

describeOnEveryEngine("a purge", (engine) => {
  it("removes the events of a user from every table, and moves no position and no version of the others", async () => {
    const store = storeOf(engine);
    const canary = `canary-${randomUUID()}`;
    await store.appendBatch(withCanaries(canary, 90, { aggregateId: "shared" }), { timestamps: "backfill" });
    const before = await readAll(store);
    const selection: PurgeSelection = { userId: canary };
    expect(await planPurge(engine.database, selection)).toEqual({
      events: 30,
      types: { "note.creation.requested": 30 },
      from: "2024-01-01T00:00:00.000Z",
      to: expect.stringMatching(/^2024-01-03T/),
    });
    expect(await purgeEvents(engine.database, { selection, ...REQUEST })).toMatchObject({ events: 30 });
    // The names of streams and their owners stay, so that their versions are not given again.
    expect(await tablesWith(engine, canary)).toEqual(["synap.streams"]);
    const rest = before.filter(({ data }) => !JSON.stringify(data).includes(canary));
    const after = await readAll(store);
    expect(after.slice(0, -1)).toEqual(rest);
    const [recorded] = after.slice(-1);
    expect(recorded?.data).toMatchObject({ events: 30, reason: REQUEST.reason });
    expect(await planPurge(engine.database, selection)).toEqual({ events: 0, types: {} });
    expect(await purgeEvents(engine.database, { selection, ...REQUEST })).toBeUndefined();
  });

  it("keeps the versions of a stream that it empties", async () => {
    const store = storeOf(engine);
    const stream = { aggregateType: "note", aggregateId: randomUUID() };
    await store.appendBatch(noteEvents(3, () => ({ aggregateId: stream.aggregateId })));
    await purgeEvents(engine.database, { selection: { stream }, ...REQUEST });
    expect((await store.readStreamPage(stream)).events).toEqual([]);
    expect(await store.append(noteEvent({ aggregateId: stream.aggregateId }))).toMatchObject({
      streamVersion: 4,
    });
  });

  it("removes what a correction corrects with it, and brings its original back in force", async () => {
    const store = storeOf(engine);
    const event = noteEvent();
    await store.append(event);
    const first = await store.getById(event.id);
    if (first === undefined) throw new Error("It is not stored.");
    const correction = seedCatalogue.completeEvent(correctionOf(first, { data: { content: "other" } }));
    await store.append(correction);
    const inForce = async () => {
      const filter = { aggregateId: first.aggregateId, corrections: "applied" } as const;
      return (await store.query(filter, { limit: 10, order: "asc" })).events.map(({ id }) => id);
    };
    expect(await inForce()).toEqual([correction.id]);
    await purgeEvents(engine.database, { selection: { ids: [correction.id] }, ...REQUEST });
    expect(await inForce()).toEqual([first.id]);
    expect(await tablesWith(engine, correction.id)).toEqual([]);
  });

  it("keeps an event that is sent again from being stored again, by its id and by its idempotency key", async () => {
    const store = storeOf(engine);
    const event = noteEvent({ idempotencyKey: randomUUID() });
    const appended = await store.append(event);
    const selection = { ids: [event.id] };
    await purgeEvents(engine.database, { selection, ...REQUEST });
    expect(await store.getById(event.id)).toBeUndefined();
    const { position } = appended.status === "stored" ? appended : { position: 0 };
    const again = { ...event, id: randomUUID() };
    for (const repeated of [event, again]) {
      const outcome = { status: "duplicate", id: repeated.id, position, streamVersion: 1 };
      expect(await store.append(repeated)).toEqual(outcome);
      expect(await store.appendBatch([noteEvent(), repeated])).toEqual([
        expect.objectContaining({ status: "stored" }),
        outcome,
      ]);
      const { aggregateType, aggregateId, ...input } = repeated;
      const answer = await store.appendToStream({ aggregateType, aggregateId }, 0, [input]);
      expect(answer.events).toMatchObject([{ duplicate: true, position }]);
      expect(await store.findDuplicates([repeated])).toEqual(
        new Map([[repeated.id, { id: repeated.id, position }]]),
      );
    }
    await syncEventTypes(engine.database, seedCatalogue);
    expect(await postEvent(engine.database, event)).toMatchObject({ duplicate: true, position });
  });

  it("is no fault for the hash chain, before and behind its head, and is one without the event that records it", async () => {
    const store = storeOf(engine);
    const canary = `canary-${randomUUID()}`;
    await extendWhole(engine);
    await store.appendBatch(withCanaries(canary, 60), { timestamps: "backfill" });
    await extendWhole(engine);
    await store.appendBatch(withCanaries(canary, 9), { timestamps: "backfill" });
    const { id, position } = (await purgeEvents(engine.database, {
      selection: { userId: canary },
      ...REQUEST,
    })) ?? { id: "", position: 0 };
    await extendWhole(engine);
    expect((await verifyChain(engine.database)).faults).toEqual([]);

    const kindsAfter = async (change: string) => {
      let kinds: string[] = [];
      await engine.database
        .asOwner(async (owner: Transaction) => {
          await owner.execute(`SET LOCAL synap.purge = 'on'; ${change}`);
          kinds = (await verifyChain(owner)).faults.map(({ kind }) => kind);
          throw new Error("taken back");
        })
        .catch((error: unknown) => expect(String(error)).toContain("taken back"));
      return kinds;
    };
    // A forger who removes one more event and keeps its digest, as a purge does.
    const forged = `
      WITH one AS (
        SELECT e AS event, e."position", e.stream_version, e.id, e.aggregate_type, e.aggregate_id, e.tableoid::regclass::text AS chunk FROM synap.events AS e
         WHERE e."position" < ${position} ORDER BY e."position" LIMIT 1
      ), kept AS (
        INSERT INTO synap.purged_events ("position", stream_version, purge, aggregate_type, aggregate_id, digest, id_hash)
        SELECT o."position", o.stream_version, '${id}', o.aggregate_type, o.aggregate_id, synap.event_digest(o.event), synap.purged_id_hash(o.id) FROM one AS o
      )
      UPDATE synap.chained_chunks AS c SET events = c.events - 1 FROM one AS o WHERE c.chunk = o.chunk;
      DELETE FROM synap.events WHERE "position" IN (SELECT "position" FROM synap.purged_events)`;
    expect(await kindsAfter(forged)).toEqual(["purge-unrecorded"]);
    expect(await kindsAfter(`UPDATE synap.purges SET "position" = NULL WHERE id = '${id}'`)).toEqual([
      "purge-unrecorded",
    ]);
    expect(await kindsAfter(`DELETE FROM synap.purged_events WHERE purge = '${id}'`)).toContain(
      "events-missing",
    );
  });

  it("takes the events out of the figures, before and behind what was counted", async () => {
    const store = storeOf(engine);
    const canary = `canary-${randomUUID()}`;
    const count = () => engine.database.query<{ more: boolean }>("SELECT synap.count_events(10000) AS more");
    const figures = () =>
      engine.database.query(
        "SELECT day::text, event_type, actor_kind, events, with_user, with_correlation FROM synap.event_counts ORDER BY 1, 2, 3",
      );
    await count();
    const before = await figures();
    await store.appendBatch(withCanaries(canary, 30, { userId: canary, createdBy: `agent:${canary}` }), {
      timestamps: "backfill",
    });
    await count();
    await store.appendBatch(withCanaries(canary, 3, { userId: canary, createdBy: `agent:${canary}` }), {
      timestamps: "backfill",
    });
    await purgeEvents(engine.database, { selection: { userId: canary }, ...REQUEST });
    expect(await figures()).toEqual(before);
    await count();
    const recorded = { event_type: "log.purged", actor_kind: "user" };
    expect(
      (await figures()).filter((row) => !before.some((old) => JSON.stringify(old) === JSON.stringify(row))),
    ).toEqual([expect.objectContaining(recorded)]);
    expect(await tablesWith(engine, canary)).toEqual(["synap.streams"]);
  });

  it("lets the later events of a stream that waits for a purged one go on", async () => {
    const store = storeOf(engine);
    const { aggregateId, id, ...rest } = noteEvent();
    const event = { ...rest, id, aggregateId };
    const { position } = { position: 0, ...(await store.append(event)) };
    await engine.database.query(
      `WITH letter AS (
         INSERT INTO synap.dead_letters ("position", attempts, handler, event_id, code, reason, event, aggregate_type, aggregate_id)
         VALUES ($1, 1, 'mailer', $2, 'HANDLER_FAILED', 'Acme', $3::text::json, 'note', $4) RETURNING id
       )
       INSERT INTO synap.held_streams (dead_letter_id, handler, aggregate_type, aggregate_id)
       SELECT id, 'mailer', 'note', $4 FROM letter`,
      [position, id, JSON.stringify(event), aggregateId],
    );
    await purgeEvents(engine.database, { selection: { ids: [id] }, ...REQUEST });
    expect(await engine.database.query("SELECT FROM synap.dead_letters WHERE event_id = $1", [id])).toEqual(
      [],
    );
    expect(
      await engine.database.query("SELECT dead_letter_id FROM synap.held_streams WHERE aggregate_id = $1", [
        aggregateId,
      ]),
    ).toEqual([{ dead_letter_id: null }]);
  });

  it("continues where it was interrupted, and begins no other before", async () => {
    const store = storeOf(engine);
    const canary = `canary-${randomUUID()}`;
    await store.appendBatch(withCanaries(canary, 2_400), { timestamps: "backfill" });
    const selection = { userId: canary };
    await engine.database.asOwner((owner) =>
      owner.query(
        `INSERT INTO synap.purges (id, up_to, purged_by, reason, selection)
         VALUES ($1, synap.append_watermark() * 1024 + 1023, $2, $3, $4::text::jsonb)`,
        [randomUUID(), REQUEST.by, REQUEST.reason, JSON.stringify(selection)],
      ),
    );
    await expect(purgeEvents(engine.database, { selection, ...REQUEST })).rejects.toThrow(
      PurgeUnfinishedError,
    );
    await extendWhole(engine);
    const steps: number[] = [];
    expect(await continuePurge(engine.database, (removed) => steps.push(removed))).toMatchObject({
      events: 800,
    });
    expect(steps).toEqual([500, 800]);
    await expect(continuePurge(engine.database)).rejects.toThrow(NoPurgeToContinueError);
    await extendWhole(engine);
    expect((await verifyChain(engine.database)).faults).toEqual([]);
  });

  it("removes events from compressed chunks", async () => {
    if (engine.database.capabilities.edition !== "community") return;
    const store = storeOf(engine);
    const canary = `canary-${randomUUID()}`;
    await store.appendBatch(withCanaries(canary, 300), { timestamps: "backfill" });
    const count = (await readAll(store)).length;
    await compressEvents(engine.database, { before: new Date(MONDAY + 3 * DAY_MS) });
    expect(await purgeEvents(engine.database, { selection: { userId: canary }, ...REQUEST })).toMatchObject({
      events: 100,
    });
    expect(await readAll(store)).toHaveLength(count - 100 + 1);
    await extendWhole(engine);
    expect((await verifyChain(engine.database)).faults).toEqual([]);
  });

  it("is for the owner alone", async () => {
    for (const statement of [
      "SELECT synap.purge_events(gen_random_uuid(), '{1}', now(), now())",
      "INSERT INTO synap.purges (id, up_to, purged_by, reason) VALUES (gen_random_uuid(), 0, '', '')",
      "DELETE FROM synap.purged_events",
    ])
      await expect(engine.database.query(statement)).rejects.toMatchObject({ code: "42501" });
  });
});

describe("the selection of a purge", () => {
  it.each([
    ["no id", { ids: [] }, "1 to 10000 ids"],
    ["an id that is no UUID", { ids: ["42"] }, "must be a UUID"],
  ])("with %s is refused", async (_, selection, reason) => {
    const database = { asOwner: () => Promise.reject(new Error("not reached")) };
    await expect(purgeEvents(database as never, { selection, ...REQUEST })).rejects.toThrow(reason);
  });
});
