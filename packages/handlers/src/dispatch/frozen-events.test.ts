import { listDeadLetters } from "@synap/database/internal";
import { describeOnEveryEngine } from "@synap/database/testing";
import { createSynapEvent, type StoredEvent, seedCatalogue } from "@synap/types";
import { integer, jsonb } from "drizzle-orm/pg-core";
import { beforeAll, expect, it } from "vitest";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { beginNow, createSeenTable, seeing, seenBy } from "../../testing/seen-events.ts";
import { EventDispatcher, type EventDispatcherOptions } from "../engine/event-dispatcher.ts";
import type { IEventHandler } from "../handler/event-handler.ts";
import { defineBatchProjection, defineProjection } from "../projections/projection.ts";
import { keyText, readTable } from "../projections/read-table.ts";

/** Ways for a handler to change its input in JavaScript, each applied to the third event. */
const WRITES: Readonly<Record<string, (event: StoredEvent, events: readonly StoredEvent[]) => unknown>> = {
  "a field": (event) => Object.assign(event, { type: "note.changed" }),
  "a new field": (event) => Object.assign(event, { seen: true }),
  "its data": (event) => Object.assign(event.data, { content: "changed" }),
  "what is deep in its data": (event) => Object.assign(event.metadata?.["deep"] ?? {}, { n: 2 }),
  "the array of events": (_event, events) => Reflect.apply(Array.prototype.splice, events, [0, 1]),
};

const noteOf = (content: string) =>
  createSynapEvent({ type: "note.creation.completed", data: { content }, metadata: { deep: { n: 1 } } });

describeOnEveryEngine("a handler that changes its events", (engine) => {
  beforeAll(() => createSeenTable(engine.database));

  const dispatcherOf = (work: Pick<EventDispatcherOptions, "handlers" | "projections">) =>
    new EventDispatcher({ database: engine.database, catalogue: seedCatalogue, maxAttempts: 1, ...work });

  let names = 0;
  function writing(mode: "inline" | "async", write: (typeof WRITES)[string]): IEventHandler {
    names += 1;
    return seeing(`writes-${names}`, {
      mode,
      afterwards: (events) => {
        const bad = events.find((event) => event.data["content"] === "bad");
        if (bad !== undefined) write(bad, events);
      },
    });
  }

  for (const mode of ["inline", "async"] as const) {
    it.each(Object.entries(WRITES))(`(${mode}) fails on that event alone: %s`, async (_what, write) => {
      const handler = writing(mode, write);
      const after: string[] = [];
      const next = seeing(`${handler.name}-next`, {
        mode,
        afterwards: (events) => after.push(...events.map((event) => JSON.stringify(event))),
      });
      const dispatcher = dispatcherOf({ handlers: [handler, next] });
      for (const { name } of [handler, next]) if (mode === "async") await beginNow(engine.database, name);
      const events = ["good", "good too", "bad", "last"].map(noteOf);
      const given = structuredClone(events);
      await dispatcher.store.appendBatch(events);
      if (mode === "async") {
        for (const { name } of [handler, next]) await catchUpFully(dispatcher, name);
      }
      const [deadLetter, ...others] = await listDeadLetters(engine.database, { handler: handler.name });
      expect(others).toEqual([]);
      expect(deadLetter).toMatchObject({ eventId: events[2]?.id, code: "type-error", event: events[2] });
      const handled = events.filter((_, index) => index !== 2).map(({ id }) => id);
      expect(await seenBy(engine.database, handler.name)).toEqual(handled);
      // The next handler and the sender have the events as they are stored.
      const stored = await Promise.all(events.map(({ id }) => dispatcher.store.getById(id)));
      expect(after.map((text) => JSON.parse(text))).toEqual(stored);
      expect(events).toStrictEqual(given);
      expect(events.some((event) => Object.isFrozen(event) || Object.isFrozen(event.data))).toBe(false);
    });
  }

  it("can't change the array of its batch", async () => {
    const handler = seeing("empties", {
      mode: "inline",
      afterwards: (events) => {
        try {
          Reflect.apply(Array.prototype.shift, events, []);
        } catch {}
        if (events.some((event) => event.data["content"] === "bad")) throw new RangeError("no");
      },
    });
    const events = ["bad", "good"].map(noteOf);
    await dispatcherOf({ handlers: [handler] }).store.appendBatch(events);
    expect(await seenBy(engine.database, "empties")).toEqual([events[1]?.id]);
    expect(await listDeadLetters(engine.database, { handler: "empties" })).toMatchObject([
      { eventId: events[0]?.id, code: "range-error" },
    ]);
  });

  it("fails a projection on that event", async () => {
    const projection = defineBatchProjection({
      name: "writes-as-projection",
      version: 1,
      description: "Writes into an event.",
      events: "all",
      mode: "async",
      tables: [{ name: "writes_as_projection", key: ["id"], columns: "id text NOT NULL" }],
      apply: async (events) => {
        for (const event of events) Object.assign(event.data, { content: "changed" });
      },
    });
    const { database } = engine;
    const dispatcher = dispatcherOf({ projections: [projection] });
    const event = noteOf("a");
    await dispatcher.store.append(event);
    await catchUpFully(dispatcher, projection.name);
    expect(await listDeadLetters(database, { handler: `${projection.name}/1` })).toContainEqual(
      expect.objectContaining({
        eventId: event.id,
        code: "type-error",
        event: expect.objectContaining(event),
      }),
    );
  });

  const tableOf = (name: string) =>
    readTable(name, {
      id: keyText("id").primaryKey(),
      count: integer("count").notNull(),
      seen: jsonb("seen").$type<{ list: string[] }>().notNull(),
    });
  type Row = ReturnType<typeof tableOf>["$inferSelect"];

  it.each<[string, string, (row: Row, content: string) => Row]>([
    ["a column", "column_in_place", (row) => Object.assign(row, { count: row.count + 1 })],
    [
      "a value in a column",
      "value_in_place",
      (row, content) => {
        row.seen.list.push(content);
        return row;
      },
    ],
  ])(
    "is an evolve that changes %s of its row in index: an error, never a row that is not written",
    async (_what, tableName, change) => {
      const name = tableName.replaceAll("_", "-");
      const projection = defineProjection({
        name,
        version: 1,
        description: "Counts in index.",
        events: "all",
        mode: "async",
        table: tableOf(tableName),
        evolve: (row, event): Row =>
          row === undefined
            ? { id: event.aggregateId, count: 1, seen: { list: ["first"] } }
            : change(row, event.id),
      });
      const { database } = engine;
      const dispatcher = dispatcherOf({ projections: [projection] });
      const [first, second] = [noteOf("a"), noteOf("b")];
      const again = { ...second, aggregateId: first.aggregateId };
      await dispatcher.store.append(first);
      await catchUpFully(dispatcher, name);
      // In one batch the row comes from evolve itself, in two from the table. Both are the same mistake.
      const third = { ...noteOf("c"), aggregateId: first.aggregateId };
      await dispatcher.store.appendBatch([again, third]);
      await catchUpFully(dispatcher, name);
      const build = expect.stringContaining(`${name}/`);
      expect(await listDeadLetters(database, { limit: 1 })).toMatchObject([
        { handler: build, eventId: again.id, code: "type-error" },
      ]);
      expect(
        await database.query(`SELECT count FROM synap_read.${tableName} WHERE id = $1`, [first.aggregateId]),
      ).toEqual([{ count: 1 }]);
    },
  );
});
