import { randomUUID } from "node:crypto";
import type { StoredEvent } from "@synap/types";
import { expect } from "vitest";
import { type EventStore, MAX_PAGE_BYTES } from "../../src/index.ts";
import { noteEvents } from "../test-events.ts";
import type { ContractTest } from "./contract-tests.ts";
import { endOf } from "./history.ts";

const COUNT = 24;
/** 24 events of this size fill two pages of 4 MiB, and a single one does not fill a page. */
const EVENT_BYTES = 240_000;

/** Reading events that are so large that a page holds fewer than requested. */
export function largeEventsContract(test: ContractTest): void {
  test("returns large events in pages of at most 4 MiB plus one event, by readAll", async (store) => {
    const { start, ids } = await seedLargeEvents(store);
    const read: string[] = [];
    for (let after = start, caughtUp = false; !caughtUp; ) {
      const page = await store.readAll({ after, limit: 1_000 });
      expectWithin(page.events, MAX_PAGE_BYTES);
      read.push(...page.events.map(({ id }) => id));
      ({ position: after, caughtUp } = page);
    }
    expect(read).toEqual(ids);
    const small = await store.readAll({ after: start, limit: 1_000, maxBytes: 1 });
    expect(small).toMatchObject({ events: [{ id: ids[0] }], caughtUp: false });
    await expect(store.readAll({ after: 0, limit: 1, maxBytes: 0 })).rejects.toThrow(RangeError);
  });

  test("returns them in such pages by query, with cursors through all of them and back", async (store) => {
    const { aggregateId, ids } = await seedLargeEvents(store);
    for (const filter of [{ aggregateId }, { aggregateType: "note", aggregateId }]) {
      for (const order of ["asc", "desc"] as const) {
        let page = await store.query(filter, { limit: 1_000, order });
        const forwards = [...page.events];
        while (page.nextCursor !== undefined) {
          expectWithin(page.events, MAX_PAGE_BYTES);
          page = await store.query(filter, { limit: 1_000, order, cursor: page.nextCursor });
          forwards.push(...page.events);
        }
        const expected = order === "asc" ? ids : ids.toReversed();
        expect(forwards.map(({ id }) => id)).toEqual(expected);
        const backwards = [...page.events];
        while (page.previousCursor !== undefined) {
          page = await store.query(filter, { limit: 1_000, order, cursor: page.previousCursor });
          expectWithin(page.events, MAX_PAGE_BYTES);
          backwards.unshift(...page.events);
        }
        expect(backwards.map(({ id }) => id)).toEqual(expected);
      }
    }
  });

  test("returns a stream of them completely, and in such pages in either direction", async (store) => {
    const { aggregateId, ids } = await seedLargeEvents(store);
    const stream = { aggregateType: "note", aggregateId };
    for (const direction of ["forwards", "backwards"] as const) {
      const expected = direction === "forwards" ? ids : ids.toReversed();
      const whole: string[] = [];
      for await (const { id } of store.readStream(stream, { direction })) whole.push(id);
      expect(whole).toEqual(expected);

      const read: string[] = [];
      let next: number | undefined;
      do {
        const from = direction === "forwards" ? "fromVersion" : "toVersion";
        const page = await store.readStreamPage(stream, { direction, [from]: next });
        expectWithin(page.events, MAX_PAGE_BYTES);
        read.push(...page.events.map(({ id }) => id));
        next = page.nextVersion;
      } while (next !== undefined);
      expect(read).toEqual(expected);
    }
    expect(await store.readStreamPage({ aggregateType: "note", aggregateId: "none" })).toEqual({
      events: [],
    });
  });

  test("delivers batches of at most the requested bytes plus one event to a subscriber", async (store) => {
    const { start, ids } = await seedLargeEvents(store);
    const maxBatchBytes = 1024 * 1024;
    const read: string[] = [];
    for await (const { events, caughtUp } of store.subscribeToAll({ from: start, maxBatchBytes })) {
      expectWithin(events, maxBatchBytes);
      read.push(...events.map(({ id }) => id));
      if (caughtUp) break;
    }
    expect(read).toEqual(ids);
    expect(() => store.subscribeToAll({ from: 0, maxBatchBytes: MAX_PAGE_BYTES + 1 })).toThrow(RangeError);
  });
}

/** Creates a stream of large events, half of which compress well and half not at all, with small ones in between. */
async function seedLargeEvents(store: EventStore) {
  const start = await endOf(store);
  const aggregateId = randomUUID();
  const now = Date.now();
  const events = noteEvents(2 * COUNT, (index) => ({
    aggregateId,
    data: { content: index % 2 === 0 ? "small" : largeText(index) },
    timestamp: new Date(now - (2 * COUNT - index) * 60_000).toISOString(),
  }));
  const outcomes = await store.appendBatch(events);
  expect(outcomes.every(({ status }) => status === "stored")).toBe(true);
  return { start, aggregateId, ids: events.map(({ id }) => id) };
}

function largeText(index: number): string {
  if (index % 4 === 1) return "x".repeat(EVENT_BYTES);
  return Array.from({ length: Math.ceil(EVENT_BYTES / 36) }, randomUUID).join("");
}

function expectWithin(events: readonly StoredEvent[], bytes: number): void {
  const sizes = events.map(({ data }) => Buffer.byteLength(JSON.stringify(data)));
  const whole = sizes.reduce((sum, size) => sum + size, 0);
  // The database prints JSON with spaces, and measures small values by their binary form.
  expect(whole - (sizes.at(-1) ?? 0)).toBeLessThan(bytes + 10_000);
}
