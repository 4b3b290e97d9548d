import { seededDomain } from "@synap/domain";
import type { AggregateRegistration, Composition, ReadModel, SynapModule } from "@synap/handlers";
import { composeModules, type genericModule } from "@synap/handlers/internal";
import type { EventTypeDefinition, EventTypeMap, EventTypesOf, TypedEventCatalogue } from "@synap/types";

/** The configuration of an application: its own parts, and further modules. */
export interface SynapConfig extends SynapModule {
  /** Further modules, before the application's own parts. `[seededDomain]` keeps the seeded domain. */
  readonly modules?: readonly SynapModule[];
}

type DefinitionIn<Module> = Module extends {
  readonly eventTypes: readonly (infer Definition extends EventTypeDefinition)[];
}
  ? Definition
  : never;

type DefinitionsOf<Config extends SynapConfig> =
  | DefinitionIn<Config>
  | (Config extends { readonly modules: readonly (infer Module)[] } ? DefinitionIn<Module> : never);

/** The parts of an application, at compile time: their names, its aggregates and its read models. */
export interface ApplicationParts {
  /** The names of the handlers and sinks, as a union. */
  readonly handlers: string;
  /** The names of the projections, as a union. */
  readonly projections: string;
  readonly aggregates: AggregateRegistration;
  readonly readModels: ReadModel;
}

/** A validated application: its modules combined, and the typed catalogue. Made by {@link defineConfig}. */
export interface SynapApplication<
  Types extends EventTypeMap = EventTypeMap,
  Parts extends ApplicationParts = ApplicationParts,
> extends Omit<Composition, "catalogue"> {
  readonly catalogue: TypedEventCatalogue<Types>;
  /** Carries the types of the parts at compile time. Never set. */
  readonly parts?: Parts;
}

/** The event types of an application, by name: `TypesOf<typeof config>`. */
export type TypesOf<Application extends { readonly catalogue: { readonly eventTypes?: EventTypeMap } }> =
  NonNullable<Application["catalogue"]["eventTypes"]>;

type ItemsOf<Module, List extends keyof SynapModule> = Module extends {
  readonly [Key in List]?: readonly (infer Item)[];
}
  ? Item
  : never;

/** The modules of a config: its own parts, its further modules, and what every application has. */
type ModulesOf<Config extends SynapConfig> =
  | Config
  | typeof genericModule
  | (Config extends { readonly modules: readonly (infer Module)[] } ? Module : never);

type NameIn<Item> = Item extends { readonly name: infer Name extends string } ? Name : never;

/** The parts of a config and its modules. */
export interface ConfigParts<Config extends SynapConfig> extends ApplicationParts {
  readonly handlers: NameIn<ItemsOf<ModulesOf<Config>, "handlers" | "sinks">>;
  readonly projections: NameIn<ItemsOf<ModulesOf<Config>, "projections">>;
  readonly aggregates: Extract<ItemsOf<ModulesOf<Config>, "aggregates">, AggregateRegistration>;
  readonly readModels: Extract<ItemsOf<ModulesOf<Config>, "readModels">, ReadModel>;
}

/**
 * Refuses keys that only `Given` has: for a type parameter, the compiler doesn't look for them. The type is the text that the compiler shows.
 */
type NoOtherKeys<Given, Allowed, Owner extends keyof typeof KEYS> = {
  readonly [Key in Exclude<keyof Given, keyof Allowed> &
    string]: `"${Key}" is not a key of ${Owner}; the keys are ${(typeof KEYS)[Owner]}`;
};

declare const KEYS: {
  readonly "a config": "eventTypes, handlers, projections, sinks, aggregates, readModels, migrations, modules";
  readonly "a module": "eventTypes, handlers, projections, sinks, aggregates, readModels, migrations";
  readonly "an aggregate": "decider, path";
};

/** Refuses misspelt keys of a config, of its modules and of their aggregates. */
type OnlyKnownKeys<Config extends SynapConfig> = NoOtherKeys<Config, SynapConfig, "a config"> &
  OnlyKnownAggregateKeys<Config> &
  (Config extends { readonly modules: infer Modules extends readonly SynapModule[] }
    ? {
        readonly modules: {
          readonly [Index in keyof Modules]: NoOtherKeys<Modules[Index], SynapModule, "a module"> &
            OnlyKnownAggregateKeys<Modules[Index]>;
        };
      }
    : unknown);

type OnlyKnownAggregateKeys<Module> = Module extends {
  readonly aggregates: infer Aggregates extends readonly AggregateRegistration[];
}
  ? {
      readonly aggregates: {
        readonly [Index in keyof Aggregates]: NoOtherKeys<
          Aggregates[Index],
          AggregateRegistration,
          "an aggregate"
        >;
      };
    }
  : unknown;

/** The event types of a config and its modules, by name. */
export type ConfigTypes<Config extends SynapConfig> = EventTypesOf<readonly DefinitionsOf<Config>[]>;

/** Marks applications made by defineConfig, also by that of another copy of this package. */
const DEFINED = Symbol.for("synap.application");

/**
 * Defines an application. Its config file exports the result as its default; the client infers its types from it.
 *
 * @throws ModuleError naming the invalid entry, when two entries have the same name or one names an unknown event type
 * @example
 * // synap.config.ts
 * export default defineConfig({ eventTypes: [orderPlaced], handlers: [mailer], projections: [ordersProjection] });
 * // elsewhere
 * import type config from "./synap.config.ts";
 * const synap = createSynapClient<typeof config>({ url: "http://127.0.0.1:3400" });
 */
export function defineConfig<const Config extends SynapConfig>(
  config: Config & OnlyKnownKeys<Config>,
): SynapApplication<ConfigTypes<Config>, ConfigParts<Config>> {
  const { modules = [], ...own }: SynapConfig = config;
  const composition = composeModules([
    ...modules.map((module, index) => ({ path: `modules[${index}]`, module })),
    { path: "config", module: own },
  ]);
  // The catalogue holds exactly the definitions of the config, whose types these are.
  return Object.freeze({ ...composition, [DEFINED]: true }) as unknown as SynapApplication<
    ConfigTypes<Config>,
    ConfigParts<Config>
  >;
}

/** Checks that a value was made by {@link defineConfig}. */
export function isApplication(value: unknown): value is Composition {
  return typeof value === "object" && value !== null && DEFINED in value;
}

/** The application that runs without a config file: the seeded domain. */
export const defaultApplication = defineConfig({ modules: [seededDomain] });
