import type { ApplicationMigrations } from "@synap/database";
import { createEventCatalogue, type EventCatalogue, type EventTypeDefinition } from "@synap/types";
import { HTTP_RESOURCES, READ_MODEL_RESOURCES } from "@synap/types/http";
import { didYouMean } from "@synap/types/internal";
import type { AggregateRegistration } from "./aggregates/aggregate-registration.ts";
import type { Decider } from "./aggregates/decider.ts";
import { genericModule } from "./generic-module.ts";
import type { IEventHandler } from "./handler/event-handler.ts";
import type { SynapModule } from "./module.ts";
import type { Projection } from "./projections/projection.ts";
import { componentOf, type ReadModel } from "./read-models/read-model.ts";
import type { Sink } from "./sinks/sink.ts";

/** The validated modules of an application, combined. Made by {@link composeModules}. */
export interface Composition {
  readonly catalogue: EventCatalogue;
  readonly handlers: readonly IEventHandler[];
  readonly projections: readonly Projection[];
  readonly sinks: readonly Sink[];
  readonly aggregates: readonly AggregateRegistration[];
  readonly readModels: readonly ReadModel[];
  /** The `applications` option of `migrate`. */
  readonly migrations: readonly ApplicationMigrations[];
}

/** A module and its name in error messages: `modules[0]`. */
export interface NamedModule {
  readonly path: string;
  readonly module: SynapModule;
}

/** Thrown when modules can't be combined. */
export class ModuleError extends Error {
  override readonly name = "ModuleError";
  readonly code = "MODULE_INVALID";
  /** The invalid entry, as in `modules[1].handlers[0]`. */
  readonly path: string;

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.path = path;
  }
}

interface Entry<Item> {
  readonly path: string;
  readonly item: Item;
}

/**
 * Combines modules with the audit log and the compliance figures, in this order.
 *
 * @throws ModuleError when two entries have the same name, or a handler, projection or aggregate names an event type that
 *   no module defines
 */
export function composeModules(modules: readonly NamedModule[]): Composition {
  const all: readonly NamedModule[] = [...modules, { path: "Synap itself", module: genericModule }];
  for (const { path, module } of all) {
    if (typeof module !== "object" || module === null) throw new ModuleError(path, "must be a module");
    refuseUnknownKeys(path, module);
    refuseMissingEntries(path, module);
  }
  const entriesOf = <Item>(
    list: keyof SynapModule,
    pick: (module: SynapModule) => readonly Item[] = () => [],
  ) =>
    all.flatMap(({ path, module }) =>
      pick(module).map((item, index): Entry<Item> => ({ path: `${path}.${list}[${index}]`, item })),
    );
  const eventTypes = entriesOf<EventTypeDefinition>("eventTypes", (module) => module.eventTypes ?? []);
  const handlers = entriesOf<IEventHandler>("handlers", (module) => module.handlers ?? []);
  const projections = entriesOf<Projection>("projections", (module) => module.projections ?? []);
  const sinks = entriesOf<Sink>("sinks", (module) => module.sinks ?? []);
  const aggregates = entriesOf<AggregateRegistration>("aggregates", (module) => module.aggregates ?? []);
  const readModels = entriesOf<ReadModel>("readModels", (module) => module.readModels ?? []);

  const migrations = all.flatMap(({ path, module }): Entry<ApplicationMigrations>[] =>
    module.migrations === undefined ? [] : [{ path: `${path}.migrations`, item: module.migrations }],
  );
  refuseTwice("event type", eventTypes, ({ name }) => name);
  const writers: Entry<IEventHandler | Projection>[] = [...handlers, ...projections];
  // Checkpoints and dead letters are stored under these names, so handlers, projections and sinks share them.
  const followers: Entry<IEventHandler | Projection | Sink>[] = [...writers, ...sinks];
  refuseTwice("handler, projection or sink", followers, (each) =>
    // Several versions of one projection are registered while the builds of the old one are kept.
    "version" in each ? `${each.name}@${each.version}` : each.name,
  );
  refuseTwice("aggregate", aggregates, ({ decider }) => decider.name);
  refuseTwice("aggregate path", aggregates, ({ path }) => path);
  refuseTwice("read model", readModels, ({ path }) => path);
  refuseTwice("ledger", migrations, ({ ledger }) => ledger);
  for (const entry of readModels) {
    checkComponent(entry);
    checkWriters(
      entry,
      writers.map(({ item }) => item.name),
    );
  }

  for (const { path, item } of writers) checkMode(path, item);
  const known = new Set(eventTypes.map(({ item }) => item.name));
  for (const { path, item } of followers) {
    checkTypes(path, `"${item.name}"`, item.eventTypes === "all" ? [] : item.eventTypes, known);
  }
  for (const { path, item } of aggregates) checkDecider(path, item.decider, known);
  return {
    catalogue: createEventCatalogue(eventTypes.map(({ item }) => item)),
    handlers: handlers.map(({ item }) => item),
    projections: projections.map(({ item }) => item),
    sinks: sinks.map(({ item }) => item),
    aggregates: aggregates.map(({ item }) => item),
    readModels: readModels.map(({ item }) => item),
    migrations: migrations.map(({ item }) => item),
  };
}

const MODULE_KEYS: Record<keyof SynapModule, true> = {
  eventTypes: true,
  handlers: true,
  projections: true,
  sinks: true,
  aggregates: true,
  readModels: true,
  migrations: true,
};

/** Refuses unknown keys at run time, for configs in JavaScript and values whose type the compiler doesn't see. */
function refuseUnknownKeys(path: string, module: SynapModule): void {
  const allowed = [...Object.keys(MODULE_KEYS), ...(path === "config" ? ["modules"] : [])];
  const unknown = Object.keys(module).find((key) => !allowed.includes(key));
  if (unknown === undefined) return;
  throw new ModuleError(
    path,
    `unknown key "${unknown}"${didYouMean(unknown, allowed)}; allowed: ${allowed.join(", ")}`,
  );
}

/** Refuses what is no list, and entries that are missing, as those of a module that imports itself in a circle are. */
function refuseMissingEntries(path: string, module: SynapModule): void {
  for (const [key, list] of Object.entries(module)) {
    if (list === undefined || key === "migrations") continue;
    if (!Array.isArray(list)) throw new ModuleError(`${path}.${key}`, "must be an array");
    const index = list.findIndex((entry) => typeof entry !== "object" || entry === null);
    if (index < 0) continue;
    const found =
      list[index] === undefined ? "undefined; is it defined before it is used here?" : String(list[index]);
    throw new ModuleError(`${path}.${key}[${index}]`, `must be a definition, and is ${found}`);
  }
}

const MODES = ["inline", "async"];

function checkMode(path: string, { name, mode }: IEventHandler | Projection): void {
  if (MODES.includes(mode)) return;
  throw new ModuleError(
    path,
    `"${name}" has the mode "${mode}"${didYouMean(String(mode), MODES)}; it must be "inline" or "async"`,
  );
}

function refuseTwice<Item>(
  kind: string,
  entries: readonly Entry<Item>[],
  nameOf: (item: Item) => string,
): void {
  const paths = new Map<string, string>();
  for (const { path, item } of entries) {
    const name = nameOf(item);
    const earlier = paths.get(name);
    if (earlier !== undefined) {
      throw new ModuleError(path, `the ${kind} "${name}" is already at ${earlier}; rename or remove one`);
    }
    paths.set(name, path);
  }
}

/**
 * Refuses a decider with an event type that an application does not define.
 *
 * @param path the decider's name in the error message
 * @throws ModuleError
 */
export function checkDecider(
  path: string,
  { name, events }: Pick<Decider, "name" | "events">,
  known: ReadonlySet<string>,
): void {
  const types = events.map((event) => event.name);
  checkTypes(path, `"${name}"`, types, known);
}

function checkTypes(path: string, name: string, types: readonly string[], known: ReadonlySet<string>): void {
  const unknown = types.filter((type) => !known.has(type));
  if (unknown.length === 0) return;
  const names = unknown.map((type) => `"${type}"${didYouMean(type, known)}`).join(", ");
  throw new ModuleError(
    path,
    `${name} names event types that no module has: ${names}; add their definitions to eventTypes`,
  );
}

/** Refuses a read model whose rows nothing in the application writes: its position would stand still. */
function checkWriters({ path, item }: Entry<ReadModel>, known: readonly string[]): void {
  const unknown = item.writtenBy.find(({ name }) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ModuleError(
    path,
    `the read model "${item.path}" is written by "${unknown.name}", which no module has; add it to projections or handlers`,
  );
}

/** Refuses a read model whose response would have the name of an API resource: both are components of the OpenAPI document. */
function checkComponent({ path, item }: Entry<ReadModel>): void {
  const name = componentOf(item);
  const own = Object.entries<unknown>(HTTP_RESOURCES).find(([each]) => each === name);
  if (own === undefined || (name in READ_MODEL_RESOURCES && own[1] === item.response)) return;
  throw new ModuleError(
    path,
    `the path "${item.path}" would name its response "${name}", which is a resource of the API; change the path`,
  );
}
