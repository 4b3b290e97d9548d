import { randomUUID } from "node:crypto";
import type { JsonObject, StoredEvent } from "@synap/types";
import fc from "fast-check";
import { expect } from "vitest";
import { type EventFilter, type EventStore, InvalidCursorError, type PageRequest } from "../../src/index.ts";
import { noteEvent, noteEvents } from "../test-events.ts";
import type { ContractTest } from "./contract-tests.ts";
import { CAUSES, DAY, seedHistory } from "./history.ts";

/** `query`: filters, and pages by cursor. */
export function queryContract(test: ContractTest): void {
  const matches = (event: StoredEvent, filter: EventFilter): boolean =>
    (filter.from === undefined || Date.parse(event.timestamp) >= new Date(filter.from).valueOf()) &&
    (filter.to === undefined || Date.parse(event.timestamp) < new Date(filter.to).valueOf()) &&
    (filter.types === undefined || filter.types.includes(event.type)) &&
    (filter.aggregateType ?? event.aggregateType) === event.aggregateType &&
    (filter.aggregateId ?? event.aggregateId) === event.aggregateId &&
    (filter.userId === undefined || filter.userId === event.userId) &&
    (filter.correlationId === undefined || filter.correlationId === event.correlationId) &&
    (filter.causationId === undefined || filter.causationId.toLowerCase() === event.causationId) &&
    (filter.createdBy ?? event.createdBy) === event.createdBy &&
    (filter.source ?? event.source) === event.source &&
    (filter.recordedFrom === undefined || event.recordedAt >= new Date(filter.recordedFrom).toISOString()) &&
    (filter.recordedTo === undefined || event.recordedAt < new Date(filter.recordedTo).toISOString()) &&
    (filter.validAt === undefined || isValid(event, new Date(filter.validAt).toISOString())) &&
    (filter.data === undefined || hasContent(event, filter.data));
  const isValid = ({ validFrom, timestamp, validTo }: StoredEvent, at: string) =>
    (validFrom ?? timestamp) <= at && (validTo === undefined || at < validTo);
  /** Of the filters below, whose fields are text or a list of it. */
  const hasContent = ({ data }: StoredEvent, { content, tags }: JsonObject) =>
    (content === undefined || content === data["content"]) &&
    (tags === undefined || [tags].flat().every((tag) => [data["tags"]].flat().includes(tag)));
  const byTime = (a: StoredEvent, b: StoredEvent) =>
    Date.parse(a.timestamp) - Date.parse(b.timestamp) || a.position - b.position;

  test("returns pages that together, in either direction, are all events in order", async (store) => {
    const all = await seedHistory(store);
    const recorded = fc.constantFrom(...all.map(({ recordedAt }) => recordedAt));
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
        causationId: fc.constantFrom(...CAUSES, CAUSES[2]?.toUpperCase()),
        createdBy: fc.constantFrom("system", "agent:0", "agent:1", "user:nobody"),
        source: fc.constantFrom("test", "source 0", "source 1"),
        recordedFrom: recorded,
        recordedTo: recorded,
        validAt: moment,
        data: fc.record(
          {
            content: fc.constantFrom("content 1", "content 2", "none"),
            tags: fc.subarray(["even", "tag 2", "tag 4"]),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    );
    // A filter that an index narrows, beside any of the others.
    const narrowed = filters.filter(
      ({ source, validAt, data, to: _to, recordedTo: _until, ...narrowing }) =>
        (source ?? validAt ?? data) === undefined || Object.keys(narrowing).length > 0,
    );
    await fc.assert(
      fc.asyncProperty(
        narrowed,
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
      { numRuns: 60 },
    );
  });

  test("refuses conditions without an index when nothing narrows them, and invalid ones", async (store) => {
    const asked = (filter: EventFilter) => store.query(filter, { limit: 1, order: "asc" });
    const causationId = randomUUID();
    for (const wide of [{ source: "test" }, { validAt: new Date() }, { data: { content: "x" } }]) {
      for (const filter of [wide, { ...wide, to: new Date() }, { ...wide, recordedTo: new Date() }]) {
        await expect(asked(filter)).rejects.toMatchObject({
          code: "FILTER_TOO_WIDE",
          condition: Object.keys(wide)[0],
        });
      }
      for (const beside of [
        { types: ["note.creation.requested"] },
        { causationId },
        { from: new Date() },
        { recordedFrom: new Date() },
        { createdBy: "system" },
      ]) {
        await expect(asked({ ...wide, ...beside })).resolves.toBeDefined();
      }
    }
    const from = new Date();
    for (const filter of [
      { causationId: "not a UUID" },
      { from, data: { a: Number.NaN } },
      { from, data: { a: "\0" } },
      { from, data: { a: "x".repeat(4_096) } },
    ]) {
      await expect(asked(filter)).rejects.toMatchObject({ code: "FILTER_INVALID" });
    }
    await expect(asked({ recordedFrom: "yesterday" })).rejects.toMatchObject({ code: "MOMENT_INVALID" });
    await expect(asked({ from, validAt: new Date(Number.NaN) })).rejects.toMatchObject({
      code: "MOMENT_INVALID",
    });
  });

  test("finds an event of the last millisecond of the year 9999, and asks for the first and last days of all", async (store) => {
    const last = "9999-12-31T23:59:59.999Z";
    const [event] = noteEvents(1, () => ({ timestamp: last, aggregateId: "at-the-end" }));
    if (event === undefined) throw new Error("There is no event.");
    await store.append(event, { timestamps: "backfill" });
    const ids = async (filter: EventFilter, order: "asc" | "desc") => {
      const { events } = await store.query(filter, { limit: 2, order });
      return events.map(({ id }) => id);
    };
    for (const order of ["asc", "desc"] as const) {
      expect(await ids({ from: last }, order)).toEqual([event.id]);
      expect(
        await ids({ aggregateType: event.aggregateType, aggregateId: event.aggregateId }, order),
      ).toEqual([event.id]);
      expect(await ids({ to: new Date("0001-01-01T12:00:00Z") }, order)).toEqual([]);
    }
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
    // With the time of no event, and a tag that any cursor of the query has.
    const [version, direction, , position, tag]: unknown[] = JSON.parse(
      Buffer.from(cursor ?? "", "base64url").toString(),
    );
    for (const time of [-1, Date.UTC(10_000, 0, 1), 8.64e15]) {
      const text = Buffer.from(JSON.stringify([version, direction, time, position, tag])).toString(
        "base64url",
      );
      await expect(asked({}, { cursor: text })).rejects.toThrow(InvalidCursorError);
    }
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
