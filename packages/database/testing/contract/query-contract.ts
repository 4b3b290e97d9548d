import { randomUUID } from "node:crypto";
import type { StoredEvent } from "@synap/types";
import fc from "fast-check";
import { expect } from "vitest";
import { type EventFilter, type EventStore, InvalidCursorError, type PageRequest } from "../../src/index.ts";
import { noteEvent, noteEvents } from "../test-events.ts";
import type { ContractTest } from "./contract-tests.ts";
import { DAY, seedHistory } from "./history.ts";

/** `query`: filters, and pages by cursor. */
export function queryContract(test: ContractTest): void {
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

  test("returns pages that together, in either direction, are all events in order", async (store) => {
    const all = await seedHistory(store);
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

  test("refuses a cursor of another filter or order, and an invalid one", async (store) => {
    await store.appendBatch(noteEvents(2));
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
    for (const text of forged) await expect(asked({}, { cursor: text })).rejects.toThrow(InvalidCursorError);
    await expect(store.query({}, { limit: 0, order: "asc" })).rejects.toThrow(RangeError);
    for (const bound of ["yesterday", new Date(Number.NaN), new Date(8.64e15)]) {
      for (const filter of [{ from: bound }, { to: bound }]) {
        await expect(store.query(filter, { limit: 1, order: "asc" })).rejects.toMatchObject({
          code: "MOMENT_INVALID",
        });
      }
    }
  });

  test("is not affected by events that arrive between two pages", async (store) => {
    const aggregateId = randomUUID();
    const at = (index: number) => new Date(Date.now() - index * 1000).toISOString();
    await store.appendBatch(noteEvents(6, (index) => ({ aggregateId, timestamp: at(index) })));
    const first = await store.query({ aggregateId }, { limit: 3, order: "desc" });
    await store.append(noteEvent({ aggregateId }));
    const second = await store.query({ aggregateId }, { limit: 3, order: "desc", cursor: first.nextCursor });
    const ids = [...first.events, ...second.events].map((event) => event.id);
    expect(new Set(ids).size).toBe(6);
    expect(second.nextCursor).toBeUndefined();
  });
}

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
