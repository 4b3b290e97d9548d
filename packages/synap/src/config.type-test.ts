/**
 * Code that the compiler must accept or refuse. Never run: `tsc` checks it, and an `@ts-expect-error` above a line that
 * compiles is itself an error.
 */
import { createSynapClient } from "@synap/client";
import { seededDomain } from "@synap/domain";
import {
  defineDecider,
  defineHandler,
  defineProjection,
  defineReadModel,
  keyText,
  readTable,
  type SynapModule,
} from "@synap/handlers";
import { defineEventType, type PublishableEvent } from "@synap/types";
import { z } from "zod";
import { defineConfig, type TypesOf } from "./config.ts";
import { createSynap, type Synap } from "./create-synap.ts";
import { applicationScenario } from "./testing.ts";

const orderPlaced = defineEventType({
  name: "order.placed",
  description: "An order was placed.",
  schema: z.strictObject({ total: z.number() }),
  example: { total: 12.5 },
});
const orderPaid = defineEventType({
  name: "order.paid",
  description: "An order was paid.",
  schema: z.strictObject({ method: z.string() }),
  example: { method: "card" },
});

// A client has the types of the config's own event types and of its modules', and no others.
const config = defineConfig({ modules: [{ eventTypes: [orderPaid] }], eventTypes: [orderPlaced] });
const client = createSynapClient<typeof config>({ url: "http://127.0.0.1:3400" });
void client.publish({ type: "order.placed", data: { total: 1 } });
void client.publish({ type: "order.paid", data: { method: "card" } });
// @ts-expect-error a misspelt field
void client.publish({ type: "order.placed", data: { totals: 1 } });
// @ts-expect-error the seeded domain was left out
void client.publish({ type: "note.creation.requested", data: { content: "Hello" } });
// An event of several types has the data of its own.
async function publishAny(
  event: PublishableEvent<TypesOf<typeof config>>,
  type: "order.placed" | "order.paid",
): Promise<void> {
  await client.publish(event);
  await client.publishBatch([event, { type: "order.paid", data: { method: "card" } }]);
  // @ts-expect-error the data of one of them only
  await client.publish({ type, data: { total: 1 } });
  // @ts-expect-error the data of one of them only
  await client.publishBatch([{ type, data: { total: 1 } }]);
}
void publishAny;

// With the seeded domain it has both.
const both = defineConfig({ modules: [seededDomain], eventTypes: [orderPlaced] });
// A catalogue gives the types of its events alone.
const bothClient = createSynapClient<typeof both.catalogue>({ url: "http://127.0.0.1:3400" });
void bothClient.publish({ type: "note.creation.requested", data: { content: "Hello" } });
void bothClient.publish({ type: "order.placed", data: { total: 1 } });

// So has the engine, from what it takes to what it gives back.
async function run(): Promise<void> {
  const synap = await createSynap(config, { dataDirectory: ".synap" });
  await synap.publish({ type: "order.placed", data: { total: 1 } });
  // @ts-expect-error an unknown type
  await synap.publish({ type: "order.place", data: { total: 1 } });
  const stream = { aggregateType: "order", aggregateId: "o1" };
  // @ts-expect-error the data of another type
  await synap.append(stream, [{ type: "order.paid", data: { total: 1 } }]);
  for await (const event of synap.readStream(stream)) {
    if (event.type === "order.placed") event.data.total.toFixed(2);
    // @ts-expect-error no event has this type
    if (event.type === "order.gone") event.id;
    // @ts-expect-error a misspelt field
    if (event.type === "order.placed") event.data.totals;
    // A switch over the types of the config is exhaustive.
    switch (event.type) {
      case "order.placed":
      case "order.paid":
        break;
      default:
        event satisfies never;
    }
    switch (event.type) {
      case "order.placed":
        break;
      default:
        // @ts-expect-error one type was forgotten
        event satisfies never;
    }
  }
  await read(synap);
}
void run;

// Reads have the types that they name; without names, those of the config.
async function read(synap: Synap<NonNullable<typeof config.catalogue.eventTypes>>): Promise<void> {
  for await (const event of synap.query({ type: "order.paid" })) event.data.method.trim();
  // @ts-expect-error not before the type is known
  for await (const event of synap.query({ aggregateType: "order" })) event.data.method;
  // @ts-expect-error a misspelt type
  synap.query({ type: "order.payed" });
  const found = await synap.queryPage({ type: ["order.paid"] }, { limit: 10 });
  for (const event of found.events) event.data.method.trim();
  // @ts-expect-error a misspelt type
  await synap.queryPage({ type: ["order.payed"] });

  for await (const event of synap.subscribe({ from: "start", type: "order.placed" })) {
    event.data.total.toFixed(2);
    // @ts-expect-error a misspelt field
    event.data.totals;
    // @ts-expect-error it wasn't asked for
    if (event.type === "order.paid") event.id;
  }
  // @ts-expect-error a misspelt type
  synap.subscribe({ from: "start", type: ["order.place"] });
  for await (const { events } of synap.subscribeInBatches({ from: 7, type: "order.placed" })) {
    for (const event of events) event.data.total.toFixed(2);
  }
  // @ts-expect-error a misspelt type
  synap.subscribeInBatches({ type: "order.place" });

  // The event of a dead letter is typed once it is known to be stored.
  for (const deadLetter of await synap.deadLetters.list()) {
    // @ts-expect-error an event that the store refused may be anything
    deadLetter.event.type;
    if (deadLetter.stage === "storing") {
      const reading = synap.catalogue.safeParseSynapEvent(deadLetter.event);
      if (reading.ok && reading.event.type === "order.paid") reading.event.data.method.trim();
      continue;
    }
    if (deadLetter.event.type === "order.placed") deadLetter.event.data.total.toFixed(2);
    // @ts-expect-error a misspelt field
    if (deadLetter.event.type === "order.placed") deadLetter.event.data.totals;
  }
}

// An aggregate has the states and commands of its decider, a read model its parameters and answer.
const lampSwitched = defineEventType({
  name: "lamp.switched",
  description: "A lamp was switched.",
  schema: z.strictObject({ on: z.boolean() }),
  example: { on: true },
});
const about = { description: "X.", events: [lampSwitched], mode: "async" } as const;
const porter = defineHandler({ ...about, name: "porter", handle: async () => {} });
const lampRows = defineProjection({
  ...about,
  name: "lamp-rows",
  version: 1,
  table: readTable("lamp_rows", { id: keyText("id").primaryKey() }),
  evolve: (_row, { aggregateId }) => ({ id: aggregateId }),
});
const otherModel = defineReadModel({
  path: "others",
  description: "Others",
  writtenBy: [],
  parameters: z.strictObject({}),
  response: z.object({ others: z.array(z.string()) }),
  read: async () => ({ others: [] }),
});
const lamp = defineDecider({
  name: "lamp",
  description: "A lamp that is on or off.",
  events: [lampSwitched],
  commands: { switch: z.strictObject({ on: z.boolean() }) },
  state: z.strictObject({ on: z.boolean() }),
  initialState: { on: false },
  evolve: (_state, event) => ({ on: event.data.on }),
  decide: ({ data }) => [{ type: "lamp.switched" as const, data }],
});
defineDecider({
  ...lamp,
  events: [],
  commands: {},
  state: z.strictObject({ on: z.boolean() }),
  // @ts-expect-error a misspelt field of the state
  evolve: () => ({ onn: true }),
  decide: () => [],
});
const lamps = defineReadModel({
  path: "lamps",
  description: "Lamps that are on or off",
  writtenBy: [lampRows],
  parameters: z.strictObject({ on: z.boolean().optional() }),
  response: z.object({ lamps: z.array(z.object({ id: z.string() })) }),
  read: async () => ({ lamps: [] }),
});
const lit = defineConfig({
  modules: [{ projections: [lampRows] }, { handlers: [] }],
  eventTypes: [lampSwitched],
  handlers: [porter],
  aggregates: [{ decider: lamp, path: "lamps" }],
  readModels: [lamps],
});
async function light(): Promise<void> {
  const synap = await createSynap(lit, { memory: true });
  const { state } = await synap.aggregates(lamp).execute("l1", { type: "switch", data: { on: true } });
  state.on satisfies boolean;
  // @ts-expect-error a misspelt field of the state
  state.onn;
  // @ts-expect-error a misspelt command
  await synap.aggregates(lamp).execute("l1", { type: "swich", data: { on: true } });
  // @ts-expect-error a misspelt field of the command
  await synap.aggregates(lamp).execute("l1", { type: "switch", data: { onn: true } });
  // @ts-expect-error a misspelt parameter
  await synap.readModel(lamps, { onn: true });

  // What is found by its name has a name of the config or its modules.
  await synap.projections.pause("lamp-rows", { by: "ada" });
  await synap.projections.asOf("lamp-rows", { position: 1 });
  // @ts-expect-error a misspelt projection
  await synap.projections.pause("lamp-row", { by: "ada" });
  // @ts-expect-error the audit log is a view, not a projection
  await synap.projections.asOf("audit-log", { position: 1 });
  await synap.deadLetters.list({ handler: "porter" });
  await synap.deadLetters.page({ handler: "lamp-rows/1" });
  await synap.deadLetters.retryAll({ handler: "ingest-events" }, { by: "ada" });
  // @ts-expect-error a misspelt handler
  await synap.deadLetters.list({ handler: "portr" });
  // @ts-expect-error a misspelt projection
  await synap.deadLetters.page({ handler: "lamp-row/1" });
  // @ts-expect-error a misspelt handler
  await synap.deadLetters.retryAll({ handler: "ingest-event" }, { by: "ada" });

  // So has a scenario's engine.
  const scenario = await applicationScenario(lit);
  await scenario.given({ type: "lamp.switched", aggregateId: "l1", data: { on: true } });
  // @ts-expect-error a misspelt field
  await scenario.when({ type: "lamp.switched", aggregateId: "l1", data: { onn: true } });
  // @ts-expect-error a misspelt projection
  await scenario.synap.projections.pause("lamp-row", { by: "ada" });
}
void light;

// An engine has the aggregates whose events its config defines.
async function dark(synap: Synap<TypesOf<typeof config>>): Promise<void> {
  // @ts-expect-error the config doesn't define lamp.switched
  synap.aggregates(lamp);
  // An engine whose parts are not known takes any name, which is checked at run time.
  await synap.deadLetters.list({ handler: "porter" });
}
void dark;

// A client of a config has the names of its parts, and the types of its aggregates and read models.
async function callLit(): Promise<void> {
  const synap = createSynapClient<typeof lit>({ url: "http://127.0.0.1:3400" });
  const lightbulbs = synap.aggregates({ type: "lamp", path: "lamps" });
  const { state } = await lightbulbs.execute("l1", { type: "switch", data: { on: true } });
  state.on satisfies boolean;
  // @ts-expect-error a misspelt field of the state
  state.onn;
  // @ts-expect-error a misspelt command
  await lightbulbs.execute("l1", { type: "swich", data: { on: true } });
  // @ts-expect-error a misspelt path
  synap.aggregates({ type: "lamp", path: "lampes" });
  // @ts-expect-error a misspelt type
  synap.aggregates({ type: "lamps", path: "lamps" });

  const response = await synap.readModel("lamps", { on: true });
  response.lamps.map(({ id }) => id.trim());
  // @ts-expect-error a misspelt field of the response
  response.lamp;
  // @ts-expect-error a misspelt parameter
  await synap.readModel("lamps", { onn: true });
  // @ts-expect-error a misspelt read model
  await synap.readModel("lampes");

  await synap.waitFor(1, "lamp-rows");
  await synap.waitFor(1, "porter", { signal: AbortSignal.timeout(1_000) });
  // @ts-expect-error a misspelt projection
  await synap.waitFor(1, "lamp-row");
  await synap.admin.pauseProjection("lamp-rows");
  // @ts-expect-error a misspelt projection
  await synap.admin.pauseProjection("lamp-row");
  // @ts-expect-error a misspelt projection
  await synap.admin.rebuildProjection("lamp-row", { version: 2 });
  await synap.admin.deadLetters({ handler: "porter" }).next();
  // @ts-expect-error a misspelt handler
  synap.admin.deadLetters({ handler: "portr" });
  // @ts-expect-error a misspelt handler
  await synap.admin.retryDeadLetters({ handler: "portr" });

  // A definition that the config doesn't have can be named.
  await synap.readModel<typeof otherModel>("others");
  synap.aggregates<typeof lamp>({ type: "lamp", path: "lamps" });
}
void callLit;

// @ts-expect-error neither a config nor a catalogue
createSynapClient<typeof orderPlaced>({ url: "http://127.0.0.1:3400" });
// @ts-expect-error the module of a config is not the config
createSynapClient<{ default: typeof lit }>({ url: "http://127.0.0.1:3400" });

// A part whose name is not a constant makes every name acceptable, as does a list of modules.
async function loose(name: string, modules: SynapModule[]): Promise<void> {
  const named = defineConfig({ handlers: [defineHandler({ ...about, name, handle: async () => {} })] });
  await (await createSynap(named, { memory: true })).deadLetters.list({ handler: "anything" });
  const listed = defineConfig({ modules });
  await (await createSynap(listed, { memory: true })).projections.pause("anything", { by: "ada" });
}
void loose;

// @ts-expect-error a misspelt entry
defineConfig({ handler: [] });
// @ts-expect-error a misspelt entry next to a correct one
defineConfig({ eventTypes: [], handler: [] });
// @ts-expect-error a misspelt entry of a module
defineConfig({ modules: [{ eventTypes: [], handler: [] }] });
// @ts-expect-error a misspelt entry of an aggregate
defineConfig({ aggregates: [{ decider: lamp, path: "lamps", snapshots: true }] });
// @ts-expect-error a misspelt entry of an aggregate of a module
defineConfig({ modules: [{ aggregates: [{ decider: lamp, path: "lamps", snapshots: true }] }] });
const [module, list]: [SynapModule, SynapModule[]] = [{}, []];
defineConfig({ modules: [seededDomain, module, ...list], aggregates: [{ decider: lamp, path: "lamps" }] });
