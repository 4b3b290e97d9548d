import { randomUUID } from "node:crypto";
import { type SynapEvent, seedCatalogue } from "@synap/types";
import { describe, expect, it } from "vitest";
import { describeOnEveryEngine } from "../testing/index.ts";
import { noteEvent, noteEvents } from "../testing/test-events.ts";
import { createEventStore, type Transaction } from "./index.ts";

describeOnEveryEngine("the event store", (engine) => {
  const open = (
    more: { onAppend?: (tx: Transaction, events: readonly SynapEvent[]) => Promise<void> } = {},
  ) => createEventStore({ database: engine.database, catalogue: seedCatalogue, ...more });

  it("gives back every field as it was stored", async () => {
    const event = noteEvent({
      userId: "u1",
      createdBy: "agent:scribe",
      source: "mail",
      requestId: "r1",
      correlationId: "c1",
      causationId: randomUUID(),
      idempotencyKey: randomUUID(),
      validFrom: "2020-02-29T23:59:59.999Z",
      validTo: "2030-01-01T00:00:00.000Z",
      data: { content: 'Quotes " and \\ and {braces}, {"a"}, NULL, emoji 🦉, tab\t' },
      metadata: { nested: { list: [1, 2.5, null, true, "x"] } },
    });
    const outcome = await open().append(event);
    expect(outcome).toMatchObject({ status: "stored", id: event.id, streamVersion: 1 });
    const stored = await open().getById(event.id);
    expect(stored).toMatchObject({ ...event, streamVersion: 1 });
    expect(stored?.position).toBe(outcome.status === "stored" && outcome.position);
  });

  it("knows nothing of an id that isn't there or isn't a UUID", async () => {
    expect(await open().getById(randomUUID())).toBeUndefined();
    expect(await open().getById("'; DROP TABLE synap.events")).toBeUndefined();
  });

  it("answers in the order of the input, one bad event costing no other", async () => {
    const events = [
      noteEvent(),
      noteEvent({ data: { content: 7 } }),
      noteEvent({ type: "no.such.type" }),
      noteEvent(),
    ];
    const outcomes = await open().appendBatch(events);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["stored", "rejected", "rejected", "stored"]);
    expect(outcomes.map((outcome) => outcome.id)).toEqual(events.map((event) => event.id));
    expect(outcomes[1]).toMatchObject({ issues: [{ path: "data.content" }] });
    expect(outcomes[2]).toMatchObject({ issues: [{ code: "unknown-event-type" }] });
  });

  it("refuses live events far from now, and takes them as a backfill", async () => {
    const old = noteEvent({ timestamp: "1999-12-31T23:59:59.999Z" });
    const late = noteEvent({ timestamp: new Date(Date.now() + 3_600_000).toISOString() });
    const codes = (await open().appendBatch([old, late])).map(
      (o) => o.status === "rejected" && o.issues[0]?.code,
    );
    expect(codes).toEqual(["timestamp-too-old", "timestamp-too-late"]);
    const [outcome] = await open().appendBatch([old], { timestamps: "backfill" });
    expect(outcome?.status).toBe("stored");
    expect((await open().getById(old.id))?.timestamp).toBe(old.timestamp);
  });

  it("appends more than one SQL call holds, in one transaction and in order", async () => {
    const aggregateId = randomUUID();
    const outcomes = await open().appendBatch(noteEvents(2500, () => ({ aggregateId })));
    const stored = outcomes.flatMap((outcome) => (outcome.status === "stored" ? [outcome] : []));
    expect(stored.map((outcome) => outcome.streamVersion)).toEqual(
      Array.from({ length: 2500 }, (_, i) => i + 1),
    );
    const positions = stored.map((outcome) => outcome.position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  describe("duplicates", () => {
    it("answers the original when an event comes again, whatever its timestamp", async () => {
      const event = noteEvent();
      const first = await open().append(event);
      const again = await open().append({ ...event, timestamp: new Date(Date.now() - 5000).toISOString() });
      expect(again).toEqual({ ...first, status: "duplicate" });
    });

    it("refuses an id that comes again with another content", async () => {
      const event = noteEvent();
      await open().append(event);
      for (const other of [{ data: { content: "Other" } }, { aggregateId: randomUUID() }]) {
        const outcome = await open().append({ ...event, ...other });
        expect(outcome).toMatchObject({ status: "rejected", issues: [{ code: "event-id-conflict" }] });
      }
      const inOneCall = noteEvent();
      const outcomes = await open().appendBatch([
        inOneCall,
        inOneCall,
        { ...inOneCall, data: { content: "Other" } },
      ]);
      expect(outcomes.map((outcome) => outcome.status)).toEqual(["stored", "duplicate", "rejected"]);
    });

    it("answers the first event when an idempotency key comes again from the same creator", async () => {
      const idempotencyKey = randomUUID();
      const [first, second] = await open().appendBatch([
        noteEvent({ idempotencyKey }),
        noteEvent({ idempotencyKey }),
      ]);
      const third = await open().append(noteEvent({ idempotencyKey }));
      expect(second).toEqual({ ...first, status: "duplicate" });
      expect(third).toEqual({ ...first, status: "duplicate" });
      const somebodyElse = await open().append(noteEvent({ idempotencyKey, createdBy: "agent:other" }));
      expect(somebodyElse.status).toBe("stored");
    });

    it("finds what is stored already, by id and by key", async () => {
      const idempotencyKey = randomUUID();
      const [known, keyed] = [noteEvent(), noteEvent({ idempotencyKey })];
      const [first, second] = await open().appendBatch([known, keyed]);
      const [unknown, retried] = [noteEvent(), noteEvent({ idempotencyKey })];
      const found = await open().findDuplicates([known, unknown, retried]);
      const place = (outcome: typeof first) =>
        outcome?.status === "stored" && { id: outcome.id, position: outcome.position };
      expect(found).toEqual(
        new Map([
          [known.id, place(first)],
          [retried.id, place(second)],
        ]),
      );
    });

    it("leaves no trace of a stream that only saw duplicates", async () => {
      const event = noteEvent();
      await open().append(event);
      const aggregateId = randomUUID();
      await open().append({ ...event, aggregateId });
      const rows = await engine.database.query("SELECT FROM synap.streams WHERE aggregate_id = $1", [
        aggregateId,
      ]);
      expect(rows).toEqual([]);
    });
  });

  describe("in a transaction", () => {
    it("stores if and when the caller's transaction commits", async () => {
      const [kept, dropped] = [noteEvent(), noteEvent()];
      await engine.database.transaction((transaction) => open().append(kept, { transaction }));
      const failing = engine.database.transaction(async (transaction) => {
        await open().append(dropped, { transaction });
        throw new Error("changed my mind");
      });
      await expect(failing).rejects.toThrow("changed my mind");
      expect(await open().getById(kept.id)).toBeDefined();
      expect(await open().getById(dropped.id)).toBeUndefined();
    });

    it("gives the hook what was stored, and undoes it when the hook fails", async () => {
      const seen: (readonly SynapEvent[])[] = [];
      const event = noteEvent();
      const outcomes = await open({
        onAppend: async (transaction, events) => {
          expect(
            await transaction.query("SELECT FROM synap.event_ids WHERE id = $1", [event.id]),
          ).toHaveLength(1);
          seen.push(events);
        },
      }).appendBatch([event, event, noteEvent({ type: "no.such.type" })]);
      expect(seen).toEqual([
        [expect.objectContaining({ id: event.id, streamVersion: 1, position: expect.any(Number) })],
      ]);
      expect(outcomes.map((outcome) => outcome.status)).toEqual(["stored", "duplicate", "rejected"]);

      const lost = noteEvent();
      const failing = open({ onAppend: () => Promise.reject(new Error("no projection")) }).append(lost);
      await expect(failing).rejects.toThrow("no projection");
      expect(await open().getById(lost.id)).toBeUndefined();
    });
  });

  it("rejects only the event that PostgreSQL refuses, alone and in the caller's transaction", async () => {
    await engine.database.asOwner((tx) =>
      tx.execute("ALTER TABLE synap.events ADD CONSTRAINT no_poison CHECK (data ->> 'content' <> 'poison')"),
    );
    const batch = () => noteEvents(9, (index) => (index === 5 ? { data: { content: "poison" } } : {}));
    const expected = Array.from({ length: 9 }, (_, index) => (index === 5 ? "rejected" : "stored"));
    const alone = await open().appendBatch(batch());
    expect(alone.map((outcome) => outcome.status)).toEqual(expected);
    expect(alone[5]).toMatchObject({
      issues: [{ code: "refused-by-database", reason: expect.stringContaining("23514") }],
    });
    const inside = await engine.database.transaction((transaction) =>
      open().appendBatch(batch(), { transaction }),
    );
    expect(inside.map((outcome) => outcome.status)).toEqual(expected);
    await engine.database.asOwner((tx) => tx.execute("ALTER TABLE synap.events DROP CONSTRAINT no_poison"));
  });
});
