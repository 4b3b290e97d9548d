import { randomUUID } from "node:crypto";
import { type StoredEvent, type SynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import {
  createEventStore,
  type EventFilter,
  type EventStore,
  InvalidCursorError,
  type PageRequest,
} from "../index.ts";

const DAY = 86_400_000;

describeOnEveryEngine("reading", (engine) => {
  let store: EventStore;
  let all: StoredEvent[];

  // 300 events over ten days, many in the same millisecond, in appends of different sizes, not in the order of time.
  beforeAll(async () => {
    store = createEventStore({ database: engine.database, catalogue: seedCatalogue });
    const noon = Math.floor(Date.now() / DAY) * DAY - 12 * 3_600_000;
    const events = noteEvents(
      300,
      (index): Partial<SynapEvent> => ({
        timestamp: new Date(noon - ((index * 7) % 10) * DAY + (index % 3)).toISOString(),
        aggregateId: `note ${index % 7}`,
        ...(index % 2 === 0 && { userId: `user ${index % 4}` }),
        ...(index % 5 === 0 && { correlationId: "flow" }),
        ...(index % 3 === 0 && { type: "note.creation.completed" }),
      }),
    );
    for (let start = 0, size = 1; start < events.length; start += size, size = (size * 3) % 41) {
      await store.appendBatch(events.slice(start, start + size), { timestamps: "backfill" });
    }
    all = (await store.readAll({ after: 0, limit: 1000 })).events.slice();
    expect(all).toHaveLength(300);
  });

  describe("query", () => {
    const matches = (event: StoredEvent, filter: EventFilter): boolean =>
      (filter.from === undefined || Date.parse(event.timestamp) >= new Date(filter.from).valueOf()) &&
      (filter.to === undefined || Date.parse(event.timestamp) < new Date(filter.to).valueOf()) &&
      (filter.types === undefined || filter.types.includes(event.type)) &&
      (filter.aggregateType ?? event.aggregateType) === event.aggregateType &&
      (filter.aggregateId ?? event.aggregateId) === event.aggregateId &&
      (filter.userId === undefined || filter.userId === event.userId) &&
      (filter.correlationId === undefined || filter.correlationId === event.correlationId);
    const byTime = (a: StoredEvent, b: StoredEvent) =>
      Date.parse(a.timestamp) - Date.parse(b.timestamp) || a.position - b.position;

    it("gives pages that, one after the other in either direction, are the sorted whole", async () => {
      const moment = fc.integer({ min: -11, max: 1 }).map((days) => new Date(Date.now() + days * DAY));
      const filters = fc.record(
        {
          from: moment,
          to: moment,
          types: fc.subarray(["note.creation.requested", "note.creation.completed", "task.unknown"]),
          aggregateType: fc.constantFrom("note", "task"),
          aggregateId: fc.constantFrom("note 1", "note 4", "note 9"),
          userId: fc.constantFrom("user 0", "user 2", "user 9"),
          correlationId: fc.constantFrom("flow", "other"),
        },
        { requiredKeys: [] },
      );
      await fc.assert(
        fc.asyncProperty(
          filters,
          fc.integer({ min: 1, max: 200 }),
          fc.constantFrom("asc" as const, "desc" as const),
          async (filter, limit, order) => {
            const expected = all.filter((event) => matches(event, filter)).sort(byTime);
            if (order === "desc") expected.reverse();
            const forwards = await readPages(store, filter, { limit: Math.max(limit, 10), order });
            expect(forwards.events).toEqual(expected);
            expect(forwards.backwards).toEqual(expected.slice(0, forwards.lastPageStart));
          },
        ),
        { numRuns: 40 },
      );
    });

    it("refuses a cursor of another filter, of another order, or of nobody", async () => {
      const { nextCursor: cursor } = await store.query({}, { limit: 1, order: "asc" });
      expect(cursor).toMatch(/^[\w-]+$/);
      const asked = (filter: EventFilter, page: Partial<PageRequest>) =>
        store.query(filter, { limit: 1, order: "asc", cursor, ...page });
      await expect(asked({ userId: "x" }, {})).rejects.toThrow(InvalidCursorError);
      await expect(asked({}, { order: "desc" })).rejects.toThrow(InvalidCursorError);
      const forged = [
        "",
        "x",
        "bm9uc2Vuc2U",
        Buffer.from('[1,1,"a",1,"b"]').toString("base64url"),
        "💥",
        "a".repeat(999),
      ];
      for (const text of forged)
        await expect(asked({}, { cursor: text })).rejects.toThrow(InvalidCursorError);
      await expect(store.query({}, { limit: 0, order: "asc" })).rejects.toThrow(RangeError);
      await expect(store.query({ from: "yesterday" }, { limit: 1, order: "asc" })).rejects.toThrow(
        RangeError,
      );
    });

    it("is not disturbed by events that arrive between two pages", async () => {
      const aggregateId = randomUUID();
      const at = (index: number) => new Date(Date.now() - index * 1000).toISOString();
      await store.appendBatch(noteEvents(6, (index) => ({ aggregateId, timestamp: at(index) })));
      const first = await store.query({ aggregateId }, { limit: 3, order: "desc" });
      await store.append(noteEvent({ aggregateId }));
      const second = await store.query(
        { aggregateId },
        { limit: 3, order: "desc", cursor: first.nextCursor },
      );
      const ids = [...first.events, ...second.events].map((event) => event.id);
      expect(new Set(ids).size).toBe(6);
      expect(second.nextCursor).toBeUndefined();
    });
  });

  describe("readAll", () => {
    it("gives all events in the order of positions, whatever the page size cuts through", async () => {
      for (const limit of [1, 7, 40, 10_000]) {
        const read = await readOn(store, { limit });
        expect(read.slice(0, 300)).toEqual(all.map((event) => event.position));
      }
    });

    it("gives only the types that are asked for, and moves on past the others", async () => {
      const types = ["note.creation.completed"];
      const expected = all.filter((event) => types.includes(event.type)).map((event) => event.position);
      for (const limit of [1, 13, 1000]) expect(await readOn(store, { limit, types })).toEqual(expected);

      const nothing = await store.readAll({ after: 0, limit: 5, types: ["no.such.type"] });
      expect(nothing).toMatchObject({ events: [], caughtUp: true, position: nothing.watermark });
    });

    it("says that it is caught up when nothing is new, and never moves back", async () => {
      const end = await store.readAll({ after: 0, limit: 10_000 });
      expect(end).toMatchObject({ caughtUp: true, position: end.watermark });
      const again = await store.readAll({ after: end.position, limit: 10 });
      expect(again).toEqual({ events: [], position: end.position, watermark: end.watermark, caughtUp: true });
      const beyond = await store.readAll({ after: end.position + 5_000_000, limit: 10 });
      expect(beyond.position).toBe(end.position + 5_000_000);
      await expect(store.readAll({ after: 0, limit: 0 })).rejects.toThrow(RangeError);
    });

    it("sees, inside a transaction, what that transaction has not appended", async () => {
      const { position } = await store.readAll({ after: 0, limit: 10_000 });
      await engine.database.transaction(async (transaction) => {
        await store.append(noteEvent(), { transaction });
        expect((await store.readAll({ after: position, limit: 10, transaction })).events).toEqual([]);
      });
      expect((await store.readAll({ after: position, limit: 10 })).events).toHaveLength(1);
    });
  });
});

async function readPages(store: EventStore, filter: EventFilter, page: PageRequest) {
  const events: StoredEvent[] = [];
  let lastPageStart = 0;
  let answer = await store.query(filter, page);
  expect(answer.previousCursor).toBeUndefined();
  events.push(...answer.events);
  while (answer.nextCursor !== undefined) {
    lastPageStart = events.length;
    answer = await store.query(filter, { ...page, cursor: answer.nextCursor });
    events.push(...answer.events);
  }
  const backwards: StoredEvent[] = [];
  while (answer.previousCursor !== undefined) {
    answer = await store.query(filter, { ...page, cursor: answer.previousCursor });
    backwards.unshift(...answer.events);
  }
  return { events, backwards, lastPageStart };
}

async function readOn(
  store: EventStore,
  how: { limit: number; types?: readonly string[] },
): Promise<number[]> {
  const positions: number[] = [];
  for (let after = 0; ; ) {
    const page = await store.readAll({ after, ...how });
    expect(page.events.length).toBeLessThanOrEqual(how.limit);
    positions.push(...page.events.map((event) => event.position));
    after = page.position;
    if (page.caughtUp) return positions;
  }
}
