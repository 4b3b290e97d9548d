import { createTestDatabase } from "@synap/database/testing";
import {
  correctionOf,
  type EventInput,
  taskEventTypes as events,
  MomentInFutureError,
  retractionOf,
  type StoredEvent,
  seedCatalogue,
} from "@synap/types";
import { naivelyInForce } from "@synap/types/testing";
import { text } from "drizzle-orm/pg-core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import { defineBatchProjection, defineProjection } from "../projections/projection.ts";
import { AsOfTooLongError, AsOfUnavailableError } from "../projections/projection-errors.ts";
import { keyText, readTable } from "../projections/read-table.ts";
import { auditLogReadModel } from "./audit-log.ts";
import { askedPast, type PastMoment } from "./past-moment.ts";
import { defineReadModel } from "./read-model.ts";

const DAY = 86_400_000;
const BEGIN = Date.now() - 3 * DAY;
const day = (number: number) => new Date(BEGIN + number * DAY).toISOString();

/** One row for each task, which the last event deletes. */
const ofTask = defineProjection({
  name: "known-tasks",
  version: 1,
  description: "Tasks that are open.",
  events,
  mode: "async",
  table: readTable("known_tasks", { id: keyText("id").primaryKey(), assignee: text("assignee").notNull() }),
  evolve(row, event) {
    if (event.type === "task.completed") return undefined;
    if (event.type === "task.assigned") return row && { ...row, assignee: event.data.assigneeId };
    return { id: event.aggregateId, assignee: event.data.assigneeId ?? "nobody" };
  },
});

/** One row for each type, across streams, which depends on the order of all of its events. */
const ofType = defineProjection({
  name: "known-types",
  version: 1,
  description: "What was said, in order.",
  events,
  mode: "async",
  table: readTable("known_types", { id: keyText("id").primaryKey(), said: text("said").notNull() }),
  key: ({ type }) => type,
  evolve: (row, event) => ({ id: event.type, said: `${row?.said ?? ""} ${event.id}` }),
});

/** One row for each task, by SQL that takes the last event of a batch by its position. */
const byPosition = defineBatchProjection({
  name: "known-latest",
  version: 1,
  description: "The latest event of each task.",
  events,
  mode: "async",
  tables: [{ name: "known_latest", key: ["id"], columns: "id text NOT NULL, event_id text NOT NULL" }],
  async apply(batch, { transaction, table }) {
    await transaction.query(
      `INSERT INTO ${table("known_latest")} (id, event_id)
       SELECT DISTINCT ON (id) id, event_id
         FROM jsonb_to_recordset($1::text::jsonb) AS e (id text, event_id text, "position" bigint)
        ORDER BY id, "position" DESC
       ON CONFLICT (id) DO UPDATE SET event_id = excluded.event_id`,
      [
        JSON.stringify(
          batch.map(({ aggregateId, id, position }) => ({ id: aggregateId, event_id: id, position })),
        ),
      ],
    );
  },
});

const model = defineReadModel({
  path: "known",
  description: "Rows of three kinds",
  writtenBy: [ofTask, ofType, byPosition],
  parameters: z.strictObject({}),
  response: z.looseObject({}),
  read: async ({ query }, _parameters, { asOf }) => ({
    tasks: await query("SELECT id, assignee FROM synap_read.known_tasks ORDER BY id"),
    types: await query("SELECT id, said FROM synap_read.known_types ORDER BY id"),
    latest: await query("SELECT id, event_id FROM synap_read.known_latest ORDER BY id"),
    about: asOf?.toISOString(),
  }),
});

/** The number of calls of a run, by projections that do nothing else. */
const calls = { ordered: 0, stretched: 0 };
const counting = (name: keyof typeof calls) =>
  defineBatchProjection({
    name: `known-calls-${name}`,
    version: 1,
    description: "Counts its calls.",
    events,
    mode: "async",
    keepsOrder: name === "ordered",
    tables: [{ name: `known_calls_${name}`, key: ["id"], columns: "id text NOT NULL" }],
    async apply() {
      calls[name] += 1;
    },
  });
const [ordered, stretched] = [counting("ordered"), counting("stretched")];

/** The rows of the three kinds, folded in memory. */
function naively(inForce: readonly StoredEvent[]) {
  const tasks = new Map<string, string>();
  const types = new Map<string, string>();
  const latest = new Map<string, string>();
  for (const { id, type, aggregateId, data } of inForce) {
    types.set(type, `${types.get(type) ?? ""} ${id}`);
    latest.set(aggregateId, id);
    const assignee = String(data["assigneeId"] ?? "nobody");
    if (type === "task.completed") tasks.delete(aggregateId);
    else if (type === "task.created" || tasks.has(aggregateId)) tasks.set(aggregateId, assignee);
  }
  const rows = (map: ReadonlyMap<string, string>, column: string) =>
    [...map].sort(([one], [other]) => (one < other ? -1 : 1)).map(([id, value]) => ({ id, [column]: value }));
  return { tasks: rows(tasks, "assignee"), types: rows(types, "said"), latest: rows(latest, "event_id") };
}

/** A fact, or an amendment of one that is there. */
const step = fc.record({
  task: fc.constantFrom("a", "b", "c"),
  type: fc.constantFrom("task.created", "task.assigned", "task.completed"),
  assignee: fc.constantFrom("ada", "ben"),
  from: fc.option(fc.integer({ min: -5, max: 5 }), { nil: undefined }),
  days: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  // Half of them, so that several originals of a task stand.
  amends: fc.option(fc.nat(200), { nil: undefined, freq: 1 }),
  retracts: fc.constantFrom(true, false, false),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const askedMoments = fc.record({
  known: fc.option(fc.nat(200), { nil: undefined }),
  valid: fc.option(fc.integer({ min: -6, max: 9 }), { nil: undefined }),
});

describe("read models as known at one moment, about another", () => {
  let made: Awaited<ReturnType<typeof createTestDatabase>>;
  let dispatcher: EventDispatcher;
  const log: StoredEvent[] = [];

  beforeAll(async () => {
    made = await createTestDatabase("embedded");
    const { database } = made;
    const projections = [ofTask, ofType, byPosition, ordered, stretched];
    dispatcher = new EventDispatcher({ database, catalogue: seedCatalogue, projections });
  });
  afterAll(() => made.drop());

  const requestOf = (moment: PastMoment) => {
    const past = askedPast(moment);
    if (past === undefined) throw new Error("A moment is asked for.");
    return { visibility: { all: true }, parameters: {}, past, maxBytes: 1_000_000 } as const;
  };
  const read = (moment: PastMoment) => dispatcher.pastReads().read(model, requestOf(moment));

  function eventOf({ task, type, assignee, from, days, amends, retracts }: Step) {
    const validity = {
      ...(from !== undefined && { validFrom: day(from) }),
      ...(from !== undefined && days !== undefined && { validTo: day(from + days) }),
    };
    const amended = amends === undefined ? undefined : log[amends % Math.max(1, log.length)];
    const dataOf = (of: string) =>
      of === "task.completed" ? {} : { ...(of === "task.created" && { title: "t" }), assigneeId: assignee };
    if (amended === undefined) {
      const fact = { type, aggregateId: task, data: dataOf(type), timestamp: day(1), ...validity };
      return seedCatalogue.completeEvent(fact);
    }
    if (retracts) return seedCatalogue.completeEvent(retractionOf(amended, { reason: "wrong" }));
    const noEnd = from !== undefined && days === undefined ? { validTo: null } : {};
    return seedCatalogue.completeEvent(
      correctionOf(amended, { data: dataOf(amended.type), ...validity, ...noEnd }),
    );
  }

  it("equal the fold of a naive model's events, whatever was recorded, and whatever is asked", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 10 }),
        fc.array(askedMoments, { minLength: 1, maxLength: 3 }),
        async (steps, asked) => {
          for (const each of steps) {
            const event = eventOf(each);
            expect((await dispatcher.store.append(event)).status).toBe("stored");
            const stored = await dispatcher.store.getById(event.id);
            if (stored !== undefined) log.push(stored);
          }
          for (const { known, valid } of asked) {
            const knownAt = known === undefined ? undefined : log[known % log.length]?.recordedAt;
            const validAt = valid === undefined ? undefined : day(valid);
            if (knownAt === undefined && validAt === undefined) continue;
            const about = validAt ?? knownAt ?? "";
            const ids = naivelyInForce(log, {
              knownAt: knownAt === undefined ? undefined : new Date(knownAt),
              validAt: new Date(about),
            });
            const inForce = ids.flatMap((id) => log.filter((event) => event.id === id));
            const { answer, position } = await read({ knownAt, validAt });
            expect(answer).toEqual({ ...naively(inForce), about });
            const last = log
              .filter(({ recordedAt }) => knownAt === undefined || recordedAt <= knownAt)
              .at(-1);
            expect(position).toBe(last?.position);
          }
        },
      ),
      { numRuns: 7 },
    );
  });

  it("have what begins to hold at one moment in the order in which it was stored, a correction in the place of its original", async () => {
    const stored: StoredEvent[] = [];
    const add = async (event: EventInput) => {
      const complete = seedCatalogue.completeEvent(event);
      await dispatcher.store.append(complete);
      const found = await dispatcher.store.getById(complete.id);
      if (found === undefined) throw new Error("Nothing was stored.");
      stored.push(found);
      log.push(found);
      return found;
    };
    const fact = { aggregateId: "at-once", validFrom: day(-5), timestamp: day(1) };
    const first = await add({ ...fact, type: "task.created", data: { title: "t", assigneeId: "first" } });
    await add({ ...fact, type: "task.assigned", data: { assigneeId: "second" } });
    const assignee = async () => {
      const { tasks } = z
        .object({ tasks: z.array(z.object({ id: z.string(), assignee: z.string() })) })
        .parse((await read({ validAt: day(-5) })).answer);
      return tasks.find(({ id }) => id === "at-once")?.assignee;
    };
    expect(await assignee()).toBe("second");
    await add(correctionOf(first, { data: { title: "t", assigneeId: "the first, corrected" } }));
    expect(await assignee()).toBe("second");
  });

  it("take one call for many events, unless these would be in another order than that of their positions", async () => {
    const add = (from: number) =>
      dispatcher.store.append(
        seedCatalogue.completeEvent({
          type: "task.created",
          aggregateId: "backwards",
          data: { title: "t" },
          validFrom: new Date(Date.UTC(2020, 0, from)).toISOString(),
        }),
      );
    for (const from of [3, 2, 1]) await add(from);
    const known = requestOf({ validAt: new Date(Date.UTC(2020, 0, 3)) });
    const both = { ...model, writtenBy: [ordered, stretched], read: async () => ({}) };
    await dispatcher.pastReads().read(both, known);
    expect(calls).toEqual({ ordered: 1, stretched: 3 });
    await dispatcher.pastReads({ maxBatches: 3 }).read(both, known);
    const fewer = dispatcher.pastReads({ maxBatches: 2 }).read(both, known);
    await expect(fewer).rejects.toThrow("the events make more than 2 batches, too many");
  });

  it("are refused where nothing is corrected, and where too much would have to be read or held", async () => {
    const known = requestOf({ knownAt: new Date() });
    await expect(dispatcher.pastReads().read(auditLogReadModel, known)).rejects.toThrow(AsOfUnavailableError);
    for (const limits of [{ maxEvents: 0 }, { maxHeldBytes: 100 }]) {
      await expect(dispatcher.pastReads(limits).read(model, known)).rejects.toThrow(AsOfTooLongError);
    }
    await expect(
      dispatcher.pastReads({ maxEvents: 1_000_000, maxHeldBytes: 1_000_000 }).read(model, known),
    ).resolves.toMatchObject({});
  });

  it("are asked with asOf, or with knownAt and validAt, about a future that is known", () => {
    const later = new Date(Date.now() + DAY);
    expect(askedPast({})).toBeUndefined();
    expect(() => askedPast({ asOf: day(0), validAt: day(1) })).toThrow(RangeError);
    expect(() => askedPast({ knownAt: later })).toThrow(MomentInFutureError);
    expect(askedPast({ validAt: later })).toEqual({ recordedBy: undefined, about: later, isKnown: true });
    const monday = new Date(day(0));
    expect(askedPast({ knownAt: monday })).toEqual({ recordedBy: monday, about: monday, isKnown: true });
    expect(askedPast({ asOf: monday })).toEqual({ recordedBy: monday, about: monday, isKnown: false });
  });
});
