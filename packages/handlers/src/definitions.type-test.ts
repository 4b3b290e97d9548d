/**
 * Code that the compiler must accept or refuse. Never run: `tsc` checks it, and an `@ts-expect-error` above a line that
 * compiles is itself an error.
 */
import type { Database } from "@synap/database";
import {
  createEventCatalogue,
  defineEventType,
  noteCreationCompleted,
  noteCreationRequested,
  taskEventTypes,
} from "@synap/types";
import { eq } from "drizzle-orm";
import { integer, text } from "drizzle-orm/pg-core";
import { z } from "zod";
import { deciderScenario } from "../testing/decider-scenario.ts";
import { handlerScenario } from "../testing/handler-scenario.ts";
import { defineDecider } from "./aggregates/define-decider.ts";
import { createReaction } from "./create-reaction.ts";
import { derivedEventId } from "./derived-event-id.ts";
import { defineHandler } from "./handler/event-handler.ts";
import {
  defineBatchProjection,
  defineProjection,
  defineStatementProjection,
} from "./projections/projection.ts";
import { keyText, readTable } from "./projections/read-table.ts";

const about = { name: "x", description: "X." } as const;

// A handler's events have the data of their types.
defineHandler({
  ...about,
  events: [noteCreationRequested, ...taskEventTypes],
  mode: "async",
  async handle(events) {
    for (const event of events) {
      // @ts-expect-error not before the type is known
      event.data.content;
      if (event.type === "note.creation.requested") event.data.content.toUpperCase();
      // @ts-expect-error a misspelt field
      if (event.type === "note.creation.requested") event.data.contents;
      // @ts-expect-error it isn't one of the handler's events
      if (event.type === "note.creation.completed") event.id;
    }
  },
});

// A switch over the types of a handler's events is exhaustive.
defineHandler({
  ...about,
  events: [noteCreationRequested, noteCreationCompleted],
  mode: "async",
  async handle([event]) {
    if (event === undefined) return;
    switch (event.type) {
      case "note.creation.requested":
      case "note.creation.completed":
        return;
      default:
        event satisfies never;
    }
  },
});

// A reactor's appends are accepted or thrown.
defineHandler({
  ...about,
  events: [noteCreationRequested],
  mode: "async",
  async handle(_events, { append, tryAppend }) {
    for (const outcome of await append([])) outcome.position.toFixed();
    for (const outcome of await tryAppend([])) {
      // @ts-expect-error a refusal has no position
      outcome.position.toFixed();
    }
  },
});

const things = readTable("things", {
  id: keyText("id").primaryKey(),
  state: text("state", { enum: ["new", "old"] }).notNull(),
  size: integer("size"),
});
const projection = {
  ...about,
  version: 1,
  events: [noteCreationRequested],
  mode: "async",
  table: things,
} as const;

// A row has the columns of its table, with their types.
defineProjection({
  ...projection,
  evolve: (row, { aggregateId, data }) => ({
    id: aggregateId,
    state: row === undefined ? "new" : "old",
    size: data.content.length,
  }),
});
defineProjection({ ...projection, evolve: (row) => row });
// @ts-expect-error a column that the table doesn't have
defineProjection({ ...projection, evolve: (row, { data }) => row && { ...row, sizes: data.content.length } });
// @ts-expect-error a value that the column doesn't take
defineProjection({ ...projection, evolve: (row) => row && { ...row, state: "broken" } });
// @ts-expect-error a column is missing
defineProjection({ ...projection, evolve: (_row, { aggregateId }) => ({ id: aggregateId, state: "new" }) });
// @ts-expect-error a misspelt field of the event
defineProjection({ ...projection, evolve: (row, { data }) => row && { ...row, size: data.contents } });

// A batch of events has the data of its types.
defineBatchProjection({
  ...about,
  version: 1,
  events: [noteCreationRequested, noteCreationCompleted],
  mode: "async",
  tables: [],
  async apply(events) {
    for (const event of events) {
      event.data.content.trim();
      // @ts-expect-error a misspelt field
      event.data.contents;
      switch (event.type) {
        case "note.creation.requested":
        case "note.creation.completed":
          break;
        default:
          event satisfies never;
      }
    }
  },
});

// Queries of a table have its columns, and rows with their types.
async function readThings({ orm }: Database): Promise<void> {
  const [first] = await orm.select().from(things);
  first?.state satisfies "new" | "old" | undefined;
  // @ts-expect-error a misspelt column of a row
  first?.stat;
  // @ts-expect-error a misspelt column of a query
  await orm.select({ size: things.sizes }).from(things);
  // @ts-expect-error a value that the column doesn't take
  await orm.select().from(things).where(eq(things.size, "large"));
}
void readThings;

// The test kit has the types of the catalogue and of the decider.
async function scenarios(database: Database): Promise<void> {
  const catalogue = createEventCatalogue([noteCreationRequested, noteCreationCompleted]);
  const { given, when } = handlerScenario({ database, catalogue });
  await given({ type: "note.creation.requested", data: { content: "Hello" } });
  // @ts-expect-error a misspelt field
  await given({ type: "note.creation.requested", data: { contents: "Hello" } });
  // @ts-expect-error a type that the catalogue doesn't have
  await when({ type: "task.created", data: { title: "Hello" } });
  for (const event of await when({ type: "note.creation.completed", data: { content: "Hello" } })) {
    switch (event.type) {
      case "note.creation.requested":
      case "note.creation.completed":
        event.data.content.trim();
        break;
      default:
        event satisfies never;
    }
  }
  const note = deciderScenario(
    defineDecider({
      name: "note",
      description: "A note.",
      events: [noteCreationRequested],
      commands: { write: z.strictObject({ content: z.string() }) },
      state: z.strictObject({ size: z.number() }),
      initialState: { size: 0 },
      evolve: (_state, event) => ({ size: event.data.content.length }),
      decide: ({ data }) => [{ type: "note.creation.requested" as const, data }],
    }),
  );
  const given1 = note.given({ type: "note.creation.requested", data: { content: "Hello" } });
  given1.when({ type: "write", data: { content: "Hello" } }).thenState({ size: 5 });
  // @ts-expect-error a misspelt field of the event
  note.given({ type: "note.creation.requested", data: { contents: "Hello" } });
  // @ts-expect-error a misspelt command
  note.when({ type: "writes", data: { content: "Hello" } });
  // @ts-expect-error a misspelt field of the state
  note.isState({ sizes: 5 });
}
void scenarios;

// A statement names columns of the events.
const statement = { ...about, version: 1, events: "all", mode: "async", tables: [] } as const;
defineStatementProjection({
  ...statement,
  statement: { columns: ["user_id", "stream_version"], write: () => "" },
});
// @ts-expect-error a misspelt column
defineStatementProjection({ ...statement, statement: { columns: ["usr_id"], write: () => "" } });

// The arguments of an id can't be swapped.
derivedEventId({ handler: "x", cause: "6ba7b810-9dad-11d1-80b4-00c04fd430c8" });
// @ts-expect-error both are text, so they are named
derivedEventId("x", "6ba7b810-9dad-11d1-80b4-00c04fd430c8");

// A reaction has the data of its type.
defineHandler({
  ...about,
  events: [noteCreationRequested],
  mode: "async",
  async handle([cause], { append }) {
    if (cause === undefined) return;
    const reaction = { handler: "x", cause, aggregateId: "n1" };
    await append([
      createReaction(noteCreationCompleted, { ...reaction, data: { content: cause.data.content } }),
    ]);
    // @ts-expect-error a misspelt field
    await append([createReaction(noteCreationCompleted, { ...reaction, data: { contents: "" } })]);
    // @ts-expect-error no data
    await append([createReaction(noteCreationCompleted, reaction)]);
  },
});

// The results of a decider need no annotations, and have no fields but those of its schemas.
const lampSwitched = defineEventType({
  name: "lamp.switched",
  description: "A lamp was switched.",
  schema: z.strictObject({ on: z.boolean(), by: z.string().optional() }),
  example: { on: true },
});
const lampBroken = defineEventType({
  name: "lamp.broken",
  description: "A lamp broke.",
  schema: z.strictObject({}),
  example: {},
});
const lamp = {
  name: "lamp",
  description: "A lamp.",
  events: [lampSwitched, lampBroken],
  // The schema of an event type can be that of a command.
  commands: { switch: lampSwitched.schema, break: z.strictObject({}) },
  state: z.discriminatedUnion("is", [
    z.strictObject({ is: z.literal("whole"), on: z.boolean() }),
    z.strictObject({ is: z.literal("broken") }),
  ]),
  initialState: { is: "whole", on: false },
} as const;
defineDecider({
  ...lamp,
  evolve(_state, event) {
    switch (event.type) {
      case "lamp.switched":
        return { is: "whole", on: event.data.on };
      case "lamp.broken":
        return { is: "broken" };
    }
  },
  decide(command, state) {
    switch (command.type) {
      case "switch":
        return command.data.on ? [{ type: "lamp.switched", data: command.data }] : [];
      case "break":
        return state.is === "broken" ? [] : [{ type: "lamp.broken", data: {} }];
    }
  },
});
// @ts-expect-error a field that the event doesn't have
defineDecider({
  ...lamp,
  evolve: (state) => state,
  decide: () => [{ type: "lamp.switched", data: { on: true, bye: "ada" } }],
});
// @ts-expect-error a field that the state doesn't have
defineDecider({
  ...lamp,
  evolve: () => ({ is: "broken", why: "?" }),
  decide: () => [],
});
defineDecider({
  ...lamp,
  evolve: (state) => state,
  // @ts-expect-error an event of another type
  decide: () => [{ type: "lamp.sold", data: {} }],
});
