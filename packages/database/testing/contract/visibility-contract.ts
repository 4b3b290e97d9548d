import { randomUUID } from "node:crypto";
import type { StoredEvent, StreamName, SynapEvent } from "@synap/types";
import fc from "fast-check";
import { expect } from "vitest";
import type {
  EventFilter,
  EventPage,
  EventStore,
  LogReader,
  PageRequest,
  StreamRead,
  Visibility,
} from "../../src/index.ts";
import { ReadLimiter } from "../../src/internal.ts";
import { noteEvent, noteEvents } from "../test-events.ts";
import type { ContractTest } from "./contract-tests.ts";
import { DAY, endOf, readFrom } from "./history.ts";

const USERS = ["ann", "bob"];
const ACTORS = ["agent:planner", "service:shop"];
const STREAMS = 4;

/** An event of one of two users or of none, by one of two actors, in one of a few streams that they share, on one of 50 days. */
const planned = fc.record({
  user: fc.option(fc.constantFrom(...USERS), { nil: undefined }),
  actor: fc.constantFrom(...ACTORS),
  stream: fc.nat(STREAMS - 1),
  day: fc.nat(49),
  type: fc.constantFrom("note.creation.requested", "note.creation.completed"),
});
const logs = fc.array(fc.array(planned, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
type Log = typeof logs extends fc.Arbitrary<infer Value> ? Value : never;

/** A log that no other test has, and what its readers should see of it. */
async function seedLog(store: EventStore, log: Log) {
  const run = randomUUID().slice(0, 8);
  const start = await endOf(store);
  for (const append of log) {
    const events = append.map(
      ({ user, actor, stream, day, type }): SynapEvent =>
        noteEvent({
          type,
          aggregateId: `${run} ${stream}`,
          createdBy: `${actor}-${run}`,
          timestamp: new Date(Date.now() - day * DAY).toISOString(),
          ...(user !== undefined && { userId: `${user}-${run}` }),
        }),
    );
    await store.appendBatch(events, { timestamps: "backfill" });
  }
  const all = (await readFrom(store, start)).filter(({ createdBy }) => createdBy.endsWith(run));
  const streams = Array.from({ length: STREAMS }, (_, index): StreamName => {
    return { aggregateType: "note", aggregateId: `${run} ${index}` };
  });
  const visibilities: Visibility[] = [
    ...USERS.map((user) => ({ userId: `${user}-${run}` })),
    ...ACTORS.map((actor) => ({ createdBy: `${actor}-${run}` })),
  ];
  return { start, all, streams, visibilities };
}

/** The filter that every reading method has to apply. */
function modelOf(all: readonly StoredEvent[], visibility: Visibility) {
  const isVisible = (event: StoredEvent) =>
    "userId" in visibility
      ? event.userId === visibility.userId
      : "createdBy" in visibility && event.createdBy === visibility.createdBy;
  const stream = ({ aggregateId }: StreamName) => {
    const events = all.filter((event) => event.aggregateId === aggregateId);
    const [first] = events;
    if (first === undefined || !isVisible(first)) return undefined;
    const shown = events.filter((event) => event.userId === undefined || isVisible(event));
    return { version: events.length, shown };
  };
  const readable = new Set([...all.filter(isVisible), ...all.flatMap((event) => stream(event)?.shown ?? [])]);
  return { isVisible, stream, hidden: all.filter((event) => !readable.has(event)) };
}

/** Fails if an answer has the id or the position of a hidden event, in a cursor either. */
function expectNothingOf(hidden: readonly StoredEvent[], answers: unknown): void {
  const text = JSON.stringify(answers, (name, value) =>
    name.endsWith("Cursor") ? Buffer.from(String(value), "base64url").toString() : value,
  );
  const numbers = new Set(text.match(/(?<![\w-])\d+(?![\w-])/g));
  expect(hidden.filter(({ id, position }) => text.includes(id) || numbers.has(String(position)))).toEqual([]);
}

const byTime = (a: StoredEvent, b: StoredEvent) =>
  Date.parse(a.timestamp) - Date.parse(b.timestamp) || a.position - b.position;

/** `visibleTo`: each method returns what the same method of the store returns, filtered. */
export function visibilityContract(test: ContractTest): void {
  test("shows a user or an actor the filter of what all may see, by every method, and nothing of others", async (store) => {
    await fc.assert(
      fc.asyncProperty(logs, fc.integer({ min: 1, max: 9 }), fc.boolean(), async (log, size, isAscending) => {
        const world = await seedLog(store, log);
        for (const visibility of world.visibilities) {
          const { isVisible, stream, hidden } = modelOf(world.all, visibility);
          const reader = store.visibleTo(visibility);
          const answers: unknown[] = [];

          for (const event of world.all) {
            const found = await reader.getById(event.id);
            expect(found).toEqual(isVisible(event) ? event : undefined);
            answers.push(found);
          }

          const order = isAscending ? "asc" : "desc";
          const filters: EventFilter[] = [
            {},
            { types: ["note.creation.completed"] },
            { userId: `ann-${world.streams[0]?.aggregateId.slice(0, 8)}` },
            { ...world.streams[0] },
            { from: new Date(Date.now() - 20 * DAY), aggregateType: "note" },
          ];
          for (const filter of filters) {
            const pages = await readPages(reader.query, filter, { limit: size, order });
            const expected = world.all
              .filter((event) => isVisible(event) && matches(event, filter))
              .sort((a, b) => (isAscending ? byTime(a, b) : byTime(b, a)));
            expect(pages.forwards).toEqual(expected);
            expect(pages.backwards).toEqual(expected.slice(0, pages.lastPageStart));
            answers.push(pages);
          }

          const tail = await readOn(reader, world.start, size);
          expect(tail.events).toEqual(world.all.filter(isVisible));
          answers.push(tail);

          for (const name of world.streams) {
            const expected = stream(name);
            const info = await reader.getStream(name);
            expect(info).toEqual(expected && { streamVersion: expected.version });
            for (const direction of ["forwards", "backwards"] as const) {
              const pages = await readStreamPages(reader, name, { pageSize: size, direction });
              const found: StoredEvent[] = [];
              for await (const event of reader.readStream(name, { pageSize: size, direction }))
                found.push(event);
              const shown = [...(expected?.shown ?? [])];
              if (direction === "backwards") shown.reverse();
              expect(pages.events).toEqual(shown);
              expect(found).toEqual(shown);
              answers.push(pages);
            }
            const history = await readPages(reader.queryStream, name, { limit: size, order });
            const inTime = [...(expected?.shown ?? [])].sort((a, b) =>
              isAscending ? byTime(a, b) : byTime(b, a),
            );
            expect(history.forwards).toEqual(inTime);
            expect(history.backwards).toEqual(inTime.slice(0, history.lastPageStart));
            answers.push(info, history);
          }
          expectNothingOf(hidden, answers);
        }
      }),
      { numRuns: 8 },
    );
  });

  test("does not share a page of one user's subscription with another's", async (store) => {
    const run = randomUUID();
    const from = await endOf(store);
    await store.appendBatch(noteEvents(20, (index) => ({ userId: `${run}-${index % 2}` })));
    const readLimiter = new ReadLimiter(1);
    const read = async (user: string) => {
      const seen: (string | undefined)[] = [];
      const reader = store.visibleTo({ userId: user });
      for await (const { events, caughtUp } of reader.subscribeToAll({ from, readLimiter })) {
        seen.push(...events.map(({ userId }) => userId));
        if (caughtUp) return seen;
      }
      return seen;
    };
    // The first read occupies the limiter, so that the others wait for it together.
    const users = [`${run}-0`, `${run}-0`, `${run}-1`, `${run}-0`, `${run}-1`];
    const seen = await Promise.all(users.map(read));
    expect(seen).toEqual(users.map((user) => Array.from({ length: 10 }, () => user)));
  });

  test("follows what is stored for a user, and reports nothing about what is stored for others", async (store) => {
    const run = randomUUID();
    const from = await endOf(store);
    const ending = new AbortController();
    const subscription = store
      .visibleTo({ userId: run })
      .subscribeToAll({ from, signal: ending.signal, pollInterval: 20 });
    const seen: StoredEvent[] = [];
    const mine = noteEvents(3, () => ({ userId: run }));
    const others = noteEvents(3, () => ({ userId: `${run}-other` }));
    let appended = 0;
    const positions: number[] = [];
    for await (const { events, position } of subscription) {
      seen.push(...events);
      positions.push(position);
      const next = mine[appended];
      const other = others[appended];
      if (next === undefined || other === undefined) break;
      if (seen.length < appended) continue;
      appended += 1;
      await store.appendBatch([other, next]);
    }
    ending.abort();
    expect(seen.map(({ id }) => id)).toEqual(mine.slice(0, seen.length).map(({ id }) => id));
    const hidden = (await readFrom(store, from)).filter(({ userId }) => userId === `${run}-other`);
    expect(hidden).toHaveLength(3);
    expectNothingOf(hidden, { seen, positions });
  });

  test("shows everything to a caller who may see all", async (store) => {
    await store.appendBatch(noteEvents(2, (index) => ({ userId: `user ${index}` })));
    const all = await readFrom(store, 0);
    const reader = store.visibleTo({ all: true });
    const page = await reader.readAll({ after: 0, limit: 1000 });
    expect(page.events).toEqual(all.slice(0, page.events.length));
    const [event] = all;
    expect(event && (await reader.getById(event.id))).toEqual(event);
  });

  test("refuses a visibility without a value, and a user named as an actor", async (store) => {
    for (const visibility of [{ userId: "" }, { createdBy: "" }, { createdBy: "user:ann" }]) {
      expect(() => store.visibleTo(visibility)).toThrow(RangeError);
    }
  });
}

function matches(event: StoredEvent, filter: EventFilter): boolean {
  return (
    (filter.from === undefined || Date.parse(event.timestamp) >= new Date(filter.from).valueOf()) &&
    (filter.types === undefined || filter.types.includes(event.type)) &&
    (filter.aggregateId ?? event.aggregateId) === event.aggregateId &&
    (filter.userId === undefined || filter.userId === event.userId)
  );
}

async function readPages<Filter extends EventFilter>(
  query: (filter: Filter, page: PageRequest) => Promise<EventPage>,
  filter: Filter,
  page: PageRequest,
) {
  const forwards: StoredEvent[] = [];
  const cursors: unknown[] = [];
  let lastPageStart = 0;
  let answer = await query(filter, page);
  for (;;) {
    cursors.push({ nextCursor: answer.nextCursor, previousCursor: answer.previousCursor });
    lastPageStart = forwards.length;
    forwards.push(...answer.events);
    if (answer.nextCursor === undefined) break;
    answer = await query(filter, { ...page, cursor: answer.nextCursor });
  }
  const backwards: StoredEvent[] = [];
  while (answer.previousCursor !== undefined) {
    answer = await query(filter, { ...page, cursor: answer.previousCursor });
    cursors.push({ nextCursor: answer.nextCursor, previousCursor: answer.previousCursor });
    backwards.unshift(...answer.events);
  }
  return { forwards, backwards, lastPageStart, cursors };
}

async function readOn(reader: LogReader, start: number, limit: number) {
  const events: StoredEvent[] = [];
  const places: number[] = [];
  for (let after = start; ; ) {
    const page = await reader.readAll({ after, limit });
    events.push(...page.events);
    places.push(page.position, page.watermark);
    after = page.position;
    if (page.caughtUp) return { events, places };
  }
}

async function readStreamPages(reader: LogReader, name: StreamName, read: StreamRead) {
  const events: StoredEvent[] = [];
  for (let next: StreamRead = read; ; ) {
    const page = await reader.readStreamPage(name, next);
    events.push(...page.events);
    if (page.nextVersion === undefined) return { events };
    const at = page.nextVersion;
    next = read.direction === "backwards" ? { ...read, toVersion: at } : { ...read, fromVersion: at };
  }
}
