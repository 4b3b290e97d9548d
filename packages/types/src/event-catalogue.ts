import type { z } from "zod";
import { DEFAULT_MAX_DEPTH } from "./check-json.ts";
import { type EventTypeDefinition, EventTypeDefinitionError } from "./define-event-type.ts";
import { type EventInput, fillDefaults, inferAggregateType } from "./event-input.ts";
import { EventValidationError } from "./event-issue.ts";
import { createEventSchema, type EventSchema } from "./event-schema.ts";
import type { JsonObject } from "./json.ts";
import { checkEventData, type EventReading, type EventRules, readEvent } from "./read-event.ts";
import type { StoredEvent, SynapEvent } from "./synap-event.ts";

/** The data of each event type, by name: what a catalogue knows at compile time. */
export type EventTypeMap = Record<string, JsonObject>;

/** The map that a list of definitions amounts to. */
export type EventTypesOf<Definitions extends readonly EventTypeDefinition[]> = {
  [Definition in Definitions[number] as Definition["name"]]: Definition["example"];
};

/** The names of the event types in a catalogue, as a union: `EventTypeName<typeof seedCatalogue>`. */
export type EventTypeName<Catalogue extends { readonly eventTypes?: EventTypeMap }> = keyof NonNullable<
  Catalogue["eventTypes"]
> &
  string;

/** Every event of a map of types, as a union told apart by `type`: checking `event.type` types `event.data`. */
export type SynapEventOf<Types extends EventTypeMap> = {
  [Name in keyof Types & string]: SynapEvent<Name, Types[Name]>;
}[keyof Types & string];

/** A stored event of a map of types, or of those of its types that are named: a union discriminated by `type`. */
export type StoredEventIn<
  Types extends EventTypeMap,
  Name extends keyof Types & string = keyof Types & string,
> = { [Each in Name]: StoredEvent<Each, Types[Each]> }[Name];

/** An event to publish, of a map of types: a union discriminated by `type`. */
export type PublishableEvent<Types extends EventTypeMap> = {
  [Name in keyof Types & string]: EventInput<Name, Types[Name]>;
}[keyof Types & string];

/** An event to append to a stream, whose name completes it. */
export type AppendableEvent<Types extends EventTypeMap> = {
  [Name in keyof Types & string]: Omit<EventInput<Name, Types[Name]>, "aggregateType" | "aggregateId">;
}[keyof Types & string];

/** A stored event of any of these types: a union discriminated by `type`. */
export type StoredEventOf<Definitions extends readonly EventTypeDefinition[]> = StoredAs<Definitions[number]>;

type StoredAs<Definition extends EventTypeDefinition> =
  Definition extends EventTypeDefinition<infer Name, infer Data> ? StoredEvent<Name, Data> : never;

/**
 * A set of event types and everything that is checked against it. Immutable: `extend` gives a new one. This is what
 * code asks for that works with any event type; every `TypedEventCatalogue` is one.
 */
export interface EventCatalogue {
  /** The definitions in the order in which they were given. */
  readonly types: readonly EventTypeDefinition[];
  get(name: string): EventTypeDefinition | undefined;
  has(name: string): boolean;
  /**
   * A new catalogue with these event types as well.
   * @throws EventTypeDefinitionError when a name is already taken.
   */
  extend(definitions: readonly EventTypeDefinition[]): EventCatalogue;
  /**
   * A checked event, with everything left out filled in.
   * @throws EventValidationError naming every field at fault.
   */
  createSynapEvent(input: EventInput): SynapEvent;
  /** Fills in what the sender left out, checking nothing. */
  completeEvent<Type extends string, Data>(input: EventInput<Type, Data>): SynapEvent<Type, Data>;
  /**
   * The same data when it satisfies the schema of `type`.
   * @throws EventValidationError naming every field at fault, with paths that begin with `data`.
   */
  validateEventData(type: string, data: unknown): JsonObject;
  /**
   * Reads an event that came from elsewhere: checks everything, puts timestamps and UUIDs into their one form, and
   * leaves `data` and `metadata` alone. Reading what it gave changes nothing.
   * @throws EventValidationError naming every field at fault.
   */
  parseSynapEvent(value: unknown): SynapEvent;
  /** `parseSynapEvent` without the exception. */
  safeParseSynapEvent(value: unknown): EventReading;
  /**
   * The catalogue's events as a Zod union, discriminated by `type`, for code that works with Zod schemas: forms, OpenAPI
   * documents, JSON Schema. It checks the fields of an event and its data; `parseSynapEvent` also checks the size, what is
   * inside the data, and `validTo` against `validFrom`, and puts timestamps and UUIDs into their one form.
   */
  readonly eventSchema: z.ZodType;
}

/** A catalogue whose event types the compiler knows: a wrong payload is a compile error, and names are completed. */
export interface TypedEventCatalogue<Types extends EventTypeMap> extends EventCatalogue {
  /** Only for the compiler: carries the types of the data. Never set. */
  readonly eventTypes?: Types;
  extend<const More extends readonly EventTypeDefinition[]>(
    definitions: More,
  ): TypedEventCatalogue<Types & EventTypesOf<More>>;
  createSynapEvent<Name extends keyof Types & string>(
    input: EventInput<Name, Types[Name]>,
  ): SynapEvent<Name, Types[Name]>;
  validateEventData<Name extends keyof Types & string>(type: Name, data: unknown): Types[Name];
  parseSynapEvent(value: unknown): SynapEventOf<Types>;
  safeParseSynapEvent(value: unknown): EventReading<SynapEventOf<Types>>;
  readonly eventSchema: EventSchema<Types>;
  /**
   * Stored events with the types of this catalogue. Checks nothing: the store took each of them after a catalogue had accepted
   * it. An event of a type that the application no longer defines keeps the data that it had.
   */
  typeStored<Name extends keyof Types & string = keyof Types & string>(
    events: readonly StoredEvent[],
  ): readonly StoredEventIn<Types, Name>[];
}

/** What a catalogue allows beyond its types. */
export interface CatalogueOptions {
  /** Deepest nesting inside `data` and `metadata`, the outermost object counting as 1. Default 32. */
  readonly maxDepth?: number | undefined;
}

/**
 * Makes a catalogue from definitions.
 * @throws EventTypeDefinitionError when two definitions have the same name.
 */
export function createEventCatalogue<const Definitions extends readonly EventTypeDefinition[]>(
  definitions: Definitions,
  options: CatalogueOptions = {},
): TypedEventCatalogue<EventTypesOf<Definitions>> {
  return buildCatalogue<EventTypesOf<Definitions>>(definitions, options);
}

function buildCatalogue<Types extends EventTypeMap>(
  types: readonly EventTypeDefinition[],
  options: CatalogueOptions,
): TypedEventCatalogue<Types> {
  const byName = indexByName(types);
  const rules: EventRules = {
    maxDepth: options.maxDepth ?? DEFAULT_MAX_DEPTH,
    find: (type) => byName.get(type),
    names: () => byName.keys(),
  };
  // The one place where a checked value gets its static type: the schema that was found by the event's own type
  // has accepted the data, which is what the map says of that name.
  const read = (value: unknown) => readEvent(value, rules) as EventReading<SynapEventOf<Types>>;
  const completeEvent = <Type extends string, Data>(input: EventInput<Type, Data>) =>
    fillDefaults(input, byName.get(input.type)?.aggregateType ?? inferAggregateType(input.type));

  let eventSchema: EventSchema<Types> | undefined;
  return {
    types,
    // Made when it is asked for: most programs don't.
    get eventSchema() {
      eventSchema ??= createEventSchema<Types>(types);
      return eventSchema;
    },
    typeStored: <Name extends keyof Types & string>(events: readonly StoredEvent[]) =>
      events as readonly StoredEventIn<Types, Name>[],
    get: (name) => byName.get(name),
    has: (name) => byName.has(name),
    extend: (definitions) => buildCatalogue([...types, ...definitions], options),
    completeEvent,
    createSynapEvent: <Name extends keyof Types & string>(input: EventInput<Name, Types[Name]>) =>
      accept(readEvent(completeEvent(input), rules)) as SynapEvent<Name, Types[Name]>,
    validateEventData: <Name extends keyof Types & string>(type: Name, data: unknown) => {
      const issues = checkEventData(type, data, rules);
      if (issues.length > 0) throw new EventValidationError(issues);
      return data as Types[Name];
    },
    parseSynapEvent: (value) => accept(read(value)),
    safeParseSynapEvent: read,
  };
}

function indexByName(definitions: readonly EventTypeDefinition[]): Map<string, EventTypeDefinition> {
  const byName = new Map<string, EventTypeDefinition>();
  for (const definition of definitions) {
    if (byName.has(definition.name)) {
      throw new EventTypeDefinitionError("EVENT_TYPE_DUPLICATE", definition.name, "is defined twice");
    }
    byName.set(definition.name, definition);
  }
  return byName;
}

function accept<Event>(reading: EventReading<Event>): Event {
  if (reading.ok) return reading.event;
  throw new EventValidationError(reading.issues);
}
