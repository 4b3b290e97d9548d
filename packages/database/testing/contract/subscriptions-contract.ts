import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { EventBatch, EventStore, SubscriptionRequest } from "../../src/index.ts";
import { noteEvents } from "../test-events.ts";
import type { ContractTest } from "./contract-tests.ts";
import { endOf, readFrom } from "./history.ts";

/** `subscribeToAll`: catching up, then live. */
export function subscriptionsContract(test: ContractTest): void {
  test("catches up in batches, reports that, and continues with new events", async (store) => {
    const from = await endOf(store);
    const [early, late] = [noteEvents(5), noteEvents(3)];
    await store.appendBatch(early);
    const seen = await follow(store, { from, batchSize: 2 }, 8, async (batch, count) => {
      expect(batch.events.length).toBeLessThanOrEqual(2);
      if (batch.caughtUp && count === 5) await store.appendBatch(late);
    });
    expect(seen.ids).toEqual([...early, ...late].map((event) => event.id));
  });

  test("begins with the first event of the log, or with the next event stored", async (store) => {
    await store.appendBatch(noteEvents(2));
    const all = await readFrom(store, 0);
    const fromStart = await follow(store, { from: "start", batchSize: 1000 }, all.length);
    expect(fromStart.ids).toEqual(all.map((event) => event.id));
    const news = noteEvents(2);
    const fromNow = await follow(store, { from: "now" }, 2, async (_batch, count) => {
      if (count === 0) await store.appendBatch(news);
    });
    expect(fromNow.ids).toEqual(news.map((event) => event.id));
  });

  test("continues from the position of any batch without skipping or repeating events", async (store) => {
    const from = await endOf(store);
    const events = noteEvents(9, (index) => (index % 2 === 0 ? { type: "note.creation.completed" } : {}));
    for (const event of events) await store.append(event);
    for (const types of [undefined, ["note.creation.completed"]]) {
      const expected = events.filter(({ type }) => types?.includes(type) ?? true).map(({ id }) => id);
      const ids: string[] = [];
      for (let position = from; ids.length < expected.length; ) {
        for await (const batch of store.subscribeToAll({ from: position, types, batchSize: 2 })) {
          ids.push(...batch.events.map(({ id }) => id));
          position = batch.position;
          break;
        }
      }
      expect(ids).toEqual(expected);
    }
  });

  test("delivers only the requested events, by type, aggregate type and stream", async (store) => {
    const from = await endOf(store);
    const stream = { aggregateType: "note", aggregateId: randomUUID() };
    const events = noteEvents(6, (index) => (index < 2 ? { aggregateId: stream.aggregateId } : {}));
    await store.appendBatch(events);
    const ids = events.map(({ id }) => id);
    expect((await follow(store, { from, stream }, 2)).ids).toEqual(ids.slice(0, 2));
    expect((await follow(store, { from, aggregateType: "note" }, 6)).ids).toEqual(ids);
    const [first] = await take(store.subscribeToAll({ from, aggregateType: "task" }), 1);
    expect(first).toMatchObject({ events: [], caughtUp: true });
    expect(first?.position).toBeGreaterThan(from);
  });

  test("delivers only the events of a user, a creator, a source, a flow and a cause", async (store) => {
    const from = await endOf(store);
    const [one = "", other = "", cause = ""] = noteEvents(3).map(({ id }) => id);
    const conditions = [
      { userId: one },
      { createdBy: `agent:${one}` },
      { source: one },
      { correlationId: one },
      { causationId: cause },
    ];
    const events = noteEvents(2 * conditions.length, (index) => {
      const condition = conditions[Math.floor(index / 2)] ?? {};
      return index % 2 === 0 ? condition : { ...condition, correlationId: other };
    });
    await store.appendBatch(events);
    const found = async (request: object) =>
      (await take(store.subscribeToAll({ from, ...request }), 1)).flatMap((batch) =>
        batch.events.map(({ id }) => id),
      );
    for (const [index, condition] of conditions.entries()) {
      const [first, second] = events.slice(2 * index, 2 * index + 2).map(({ id }) => id);
      const isFlow = "correlationId" in condition;
      expect(await found(condition)).toEqual(isFlow ? [first] : [first, second]);
      if (!isFlow) expect(await found({ ...condition, correlationId: other })).toEqual([second]);
    }
    expect(await found({ causationId: cause.toUpperCase() })).toHaveLength(2);
  });

  test("accounts for every position: each batch begins where the one before it ended", async (store) => {
    const from = await endOf(store);
    await store.appendBatch(noteEvents(5));
    await store.appendBatch(noteEvents(3, () => ({ type: "note.creation.completed" })));
    const end = await endOf(store);
    for (const types of [undefined, ["note.creation.completed"]]) {
      let position = from;
      for await (const batch of store.subscribeToAll({ from, types, batchSize: 2 })) {
        expect(batch.after).toBe(position);
        expect(batch.watermark).toBeGreaterThanOrEqual(end);
        for (const event of batch.events) expect(event.position).toBeGreaterThan(position);
        ({ position } = batch);
        if (batch.caughtUp) break;
      }
      expect(position).toBeGreaterThanOrEqual(end);
    }
    const beyond = take(store.subscribeToAll({ from: 2 ** 45 }), 1);
    await expect(beyond).rejects.toMatchObject({ code: "POSITION_LOST", position: 2 ** 45 });
  });

  test("ends without an error when aborted, while it waits or before it starts", async (store) => {
    const abort = new AbortController();
    const batches = store.subscribeToAll({ from: "now", signal: abort.signal, pollInterval: 60_000 });
    const iterator = batches[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toMatchObject({ events: [], caughtUp: true });
    const waiting = iterator.next();
    abort.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    const over = store.subscribeToAll({ from: "start", signal: AbortSignal.abort() });
    expect(await take(over, 99)).toEqual([]);
  });

  test("refuses an invalid request at once", async (store) => {
    for (const wrong of [
      { from: -1 },
      { from: 1.5 },
      { from: 0, batchSize: 0 },
      { from: 0, pollInterval: 0 },
      { from: 0, causationId: "no UUID" },
    ]) {
      expect(() => store.subscribeToAll(wrong)).toThrow(RangeError);
    }
  });
}

/** Follows until the given number of events have arrived; `onBatch` receives the number so far. */
async function follow(
  store: EventStore,
  request: SubscriptionRequest,
  count: number,
  onBatch: (batch: EventBatch, count: number) => Promise<void> = async () => {},
): Promise<{ ids: string[]; position: number }> {
  const ids: string[] = [];
  for await (const batch of store.subscribeToAll({ ...request, signal: AbortSignal.timeout(60_000) })) {
    ids.push(...batch.events.map((event) => event.id));
    await onBatch(batch, ids.length);
    if (ids.length >= count) return { ids, position: batch.position };
  }
  throw new Error(`Only ${ids.length} of ${count} events came.`);
}

async function take(batches: AsyncIterable<EventBatch>, count: number): Promise<EventBatch[]> {
  const taken: EventBatch[] = [];
  for await (const batch of batches) {
    taken.push(batch);
    if (taken.length === count) break;
  }
  return taken;
}
