import { randomUUID } from "node:crypto";
import { type StoredEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent } from "../../testing/test-events.ts";
import { type AppendOutcome, createEventStore, type EventStore } from "../index.ts";

// What a sender may do: any events of a small set, in any batches, again and again. Some share an idempotency key.
const batches = fc.array(fc.array(fc.nat(19), { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 6,
});

describeOnEveryEngine("appending, by its laws", (engine) => {
  const open = () => createEventStore({ database: engine.database, catalogue: seedCatalogue });

  it("stores each event once, in consecutive versions and growing positions, however often it is sent", async () => {
    const store = open();
    await fc.assert(
      fc.asyncProperty(batches, async (plan) => {
        const run = randomUUID();
        const pool = Array.from({ length: 20 }, (_, index) =>
          noteEvent({
            aggregateId: `${run} ${index % 3}`,
            // 0 and 10, 5 and 15 are the same thing sent under two ids.
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
        const streams = await engine.database.query<{ aggregate_id: string; version: number }>(
          "SELECT aggregate_id, version FROM synap.streams WHERE aggregate_id LIKE $1",
          [`${run}%`],
        );
        expect(new Map(streams.map((row) => [row.aggregate_id, row.version]))).toEqual(model.streams);
      }),
      { numRuns: 30 },
    );
  });

  it("keeps the same laws when several senders send the same events at the same time", async () => {
    const store = open();
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
});

/** What must have happened, worked out one event at a time. */
class AppendModel {
  readonly ids: string[] = [];
  readonly versions: number[] = [];
  readonly streams = new Map<string, number>();
  readonly #byId = new Map<string, AppendOutcome>();
  readonly #byKey = new Map<string, AppendOutcome>();

  append(events: readonly SynapEvent[], match: typeof expect): unknown[] {
    return events.map((event) => {
      const key = event.idempotencyKey;
      const first = this.#byId.get(event.id) ?? (key === undefined ? undefined : this.#byKey.get(key));
      if (first !== undefined) return match.objectContaining({ ...first, status: "duplicate" });
      const streamVersion = (this.streams.get(event.aggregateId) ?? 0) + 1;
      this.streams.set(event.aggregateId, streamVersion);
      this.ids.push(event.id);
      this.versions.push(streamVersion);
      const outcome = { status: "stored", id: event.id, position: match.any(Number), streamVersion } as const;
      this.#byId.set(event.id, outcome);
      if (key !== undefined) this.#byKey.set(key, outcome);
      return outcome;
    });
  }
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
