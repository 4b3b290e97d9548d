import { randomUUID } from "node:crypto";
import type { StoredEvent } from "@synap/types";
import fc from "fast-check";
import { describe, expect } from "vitest";
import type { EventStore } from "../../src/index.ts";
import { noteEvent, noteEvents } from "../test-events.ts";
import { AppendModel } from "./append-model.ts";
import type { ContractTest } from "./contract-tests.ts";

// Appends of a sender: any events of a small set, in any batches, repeatedly. Some share an idempotency key.
const batches = fc.array(fc.array(fc.nat(19), { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 6,
});

/** `append` and `appendBatch`: events of any streams with independent outcomes. */
export function appendingContract(test: ContractTest): void {
  test("returns every field as it was stored", async (store) => {
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
    const outcome = await store.append(event);
    expect(outcome).toMatchObject({ status: "stored", id: event.id, streamVersion: 1 });
    const stored = await store.getById(event.id);
    expect(stored).toMatchObject({ ...event, streamVersion: 1 });
    expect(stored?.position).toBe(outcome.status === "stored" && outcome.position);
  });

  test("returns nothing for an unknown id or one that isn't a UUID", async (store) => {
    expect(await store.getById(randomUUID())).toBeUndefined();
    expect(await store.getById("'; DROP TABLE synap.events")).toBeUndefined();
  });

  test("returns outcomes in the order of the input, and rejects only the invalid event", async (store) => {
    const events = [
      noteEvent(),
      noteEvent({ data: { content: 7 } }),
      noteEvent({ type: "no.such.type" }),
      noteEvent(),
    ];
    const outcomes = await store.appendBatch(events);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["stored", "rejected", "rejected", "stored"]);
    expect(outcomes.map((outcome) => outcome.id)).toEqual(events.map((event) => event.id));
    expect(outcomes[1]).toMatchObject({ issues: [{ path: "data.content" }] });
    expect(outcomes[2]).toMatchObject({ issues: [{ code: "unknown-event-type" }] });
  });

  test("refuses live events far from now, and accepts them as a backfill", async (store) => {
    const old = noteEvent({ timestamp: "1999-12-31T23:59:59.999Z" });
    const late = noteEvent({ timestamp: new Date(Date.now() + 3_600_000).toISOString() });
    const codes = (await store.appendBatch([old, late])).map(
      (o) => o.status === "rejected" && o.issues[0]?.code,
    );
    expect(codes).toEqual(["timestamp-too-old", "timestamp-too-late"]);
    const [outcome] = await store.appendBatch([old], { timestamps: "backfill" });
    expect(outcome?.status).toBe("stored");
    expect((await store.getById(old.id))?.timestamp).toBe(old.timestamp);
  });

  test("appends more than one SQL call holds, in one transaction and in order", async (store) => {
    const aggregateId = randomUUID();
    const outcomes = await store.appendBatch(noteEvents(2500, () => ({ aggregateId })));
    const stored = outcomes.flatMap((outcome) => (outcome.status === "stored" ? [outcome] : []));
    expect(stored.map((outcome) => outcome.streamVersion)).toEqual(
      Array.from({ length: 2500 }, (_, i) => i + 1),
    );
    const positions = stored.map((outcome) => outcome.position);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  describe("duplicates", () => {
    test("returns the original of a repeated event, even with another timestamp", async (store) => {
      const event = noteEvent();
      const first = await store.append(event);
      const again = await store.append({ ...event, timestamp: new Date(Date.now() - 5000).toISOString() });
      expect(again).toEqual({ ...first, status: "duplicate" });
    });

    test("returns the original if only the context of the request or the format of a time differs", async (store) => {
      const event = noteEvent({
        validFrom: "2026-01-01T00:00:00.000Z",
        validTo: "9999-12-31T23:59:59.999Z",
        metadata: { attempt: 1 },
        source: "first",
      });
      const first = await store.append(event);
      for (const other of [
        { validFrom: "2026-01-01T01:00:00+01:00" },
        { metadata: { attempt: 2 } },
        { metadata: {}, source: "second", requestId: "another" },
        { correlationId: "another", causationId: randomUUID() },
      ]) {
        const again = await store.append({ ...event, ...other });
        expect({ other, again }).toEqual({ other, again: { ...first, status: "duplicate" } });
      }
    });

    test("refuses a repeated id with different content", async (store) => {
      const event = noteEvent();
      await store.append(event);
      for (const other of [
        { data: { content: "Other" } },
        { aggregateId: randomUUID() },
        { userId: "somebody-else" },
        { createdBy: "agent:other" },
        { validFrom: "2026-01-01T00:00:00Z" },
        { validTo: "9999-12-31T23:59:59.999Z" },
      ]) {
        const outcome = await store.append({ ...event, ...other });
        expect({ other, outcome }).toMatchObject({
          outcome: { status: "rejected", issues: [{ code: "event-id-conflict" }] },
        });
      }
      const repeated = noteEvent();
      const outcomes = await store.appendBatch([
        repeated,
        repeated,
        { ...repeated, data: { content: "Other" } },
      ]);
      expect(outcomes.map((outcome) => outcome.status)).toEqual(["stored", "duplicate", "rejected"]);
    });

    test("returns the first event when the same creator repeats an idempotency key", async (store) => {
      const idempotencyKey = randomUUID();
      const [first, second] = await store.appendBatch([
        noteEvent({ idempotencyKey }),
        noteEvent({ idempotencyKey }),
      ]);
      const third = await store.append(noteEvent({ idempotencyKey }));
      expect(second).toEqual({ ...first, status: "duplicate" });
      expect(third).toEqual({ ...first, status: "duplicate" });
      const otherCreator = await store.append(noteEvent({ idempotencyKey, createdBy: "agent:other" }));
      expect(otherCreator.status).toBe("stored");
    });

    test("finds events that are already stored, by id and by key", async (store) => {
      const idempotencyKey = randomUUID();
      const [known, keyed] = [noteEvent(), noteEvent({ idempotencyKey })];
      const [first, second] = await store.appendBatch([known, keyed]);
      const [unknown, retried] = [noteEvent(), noteEvent({ idempotencyKey })];
      const found = await store.findDuplicates([known, unknown, retried]);
      const place = (outcome: typeof first) =>
        outcome?.status === "stored" && { id: outcome.id, position: outcome.position };
      expect(found).toEqual(
        new Map([
          [known.id, place(first)],
          [retried.id, place(second)],
        ]),
      );
    });
  });

  test("stores each event once, with consecutive versions and increasing positions, however often it is sent", async (store) => {
    await fc.assert(
      fc.asyncProperty(batches, async (plan) => {
        const run = randomUUID();
        const pool = Array.from({ length: 20 }, (_, index) =>
          noteEvent({
            aggregateId: `${run} ${index % 3}`,
            // 0 and 10, 5 and 15 are the same event sent with two ids.
            ...(index % 5 === 0 && { idempotencyKey: `${run} ${index % 10}` }),
          }),
        );
        const before = await lastPosition(store);
        const model = new AppendModel();
        for (const indexes of plan) {
          const events = indexes.flatMap((index) => pool[index] ?? []);
          expect(await store.appendBatch(events)).toEqual(model.append(events, expect));
        }
        const stored = await readFrom(store, before);
        expect(stored.map((event) => event.id)).toEqual(model.ids);
        expect(stored.map((event) => event.streamVersion)).toEqual(model.versions);
        const positions = stored.map((event) => event.position);
        expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
        for (const [aggregateId, streamVersion] of model.streams) {
          expect(await store.getStream({ aggregateType: "note", aggregateId })).toEqual({ streamVersion });
        }
      }),
      { numRuns: 30 },
    );
  });

  test("stores each event once when several senders append the same events concurrently", async (store) => {
    const before = await lastPosition(store);
    const run = randomUUID();
    const pool = Array.from({ length: 60 }, (_, index) =>
      noteEvent({
        aggregateId: `${run} ${index % 4}`,
        ...(index % 3 === 0 && { idempotencyKey: `${run} ${index}` }),
      }),
    );
    const senders = Array.from({ length: 6 }, async () => {
      for (let round = 0; round < 10; round += 1) {
        const events = pool.filter(() => Math.random() < 0.4).sort(() => Math.random() - 0.5);
        const outcomes = await store.appendBatch(events);
        expect(outcomes.filter((outcome) => outcome.status === "rejected")).toEqual([]);
      }
    });
    await Promise.all(senders);
    await store.appendBatch(pool);

    const stored = await readFrom(store, before);
    expect(stored.map((event) => event.id).sort()).toEqual(pool.map((event) => event.id).sort());
    for (const aggregateId of new Set(pool.map((event) => event.aggregateId))) {
      const stream = stored.filter((event) => event.aggregateId === aggregateId);
      expect(stream.map((event) => event.streamVersion)).toEqual(stream.map((_, index) => index + 1));
    }
  });
}

async function lastPosition(store: EventStore): Promise<number> {
  const outcome = await store.append(noteEvent());
  return outcome.status === "stored" ? outcome.position : 0;
}

async function readFrom(store: EventStore, after: number): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (let position = after; ; ) {
    const page = await store.readAll({ after: position, limit: 7 });
    events.push(...page.events);
    position = page.position;
    if (page.caughtUp) return events;
  }
}
