import type { z } from "zod";
import type { EventInput, StoredEvent, SynapEvent } from "../event/event.ts";
import { fillDefaults, inferAggregateType } from "../event/event-input.ts";
import { EventValidationError } from "../issues/event-issue.ts";
import { DEFAULT_MAX_DEPTH } from "../json/check-json.ts";
import type { JsonObject } from "../json/json.ts";
import {
  type EventTypeDefinition,
  EventTypeDefinitionError,
  type EventTypesOf,
} from "./define-event-type.ts";
import { createEventSchema, type EventSchema } from "./event-schema.ts";
import { checkEventData, type EventReading, type EventRules, readEvent } from "./read-event.ts";
import type { RegisteredTypes } from "./registered-types.ts";
import type { EventTypeMap, StoredEventIn, SynapEventOf } from "./typed-events.ts";
import { isNewerVersion, upcastEvent } from "./upcast-event.ts";

/**
 * A set of event types and the functions that validate events against it. Immutable: `extend` returns a new one. The
 * parameter type of code that works with any event type; every `TypedEventCatalogue` is one.
 */
export interface EventCatalogue {
  /** The definitions, in the order of registration. */
  readonly types: readonly EventTypeDefinition[];
  get(name: string): EventTypeDefinition | undefined;
  has(name: string): boolean;
  /** The event types that are registered at run time, which `get`, `has` and the validation know too; `types` are those of the code. */
  readonly registered?: RegisteredTypes | undefined;
  /** Returns a catalogue whose validation also knows these event types. A type of the code comes before one of the same name. */
  withRegistered(registered: RegisteredTypes): EventCatalogue;
  /**
   * Returns a new catalogue that has these event types too.
   * @throws EventTypeDefinitionError when a name is already taken.
   */
  extend(definitions: readonly EventTypeDefinition[]): EventCatalogue;
  /**
   * Creates a validated event, filling in omitted fields.
   * @throws EventValidationError naming every invalid field.
   */
  createSynapEvent(input: EventInput): SynapEvent;
  /** Fills in omitted fields, `schemaVersion` with the current one, or 1 for a registered type, without validating anything. */
  completeEvent<Type extends string, Data>(input: EventInput<Type, Data>): SynapEvent<Type, Data>;
  /**
   * Validates data against the current schema of `type` and returns it unchanged.
   * @throws EventValidationError naming every invalid field, with paths that begin with `data`.
   */
  validateEventData(type: string, data: unknown): JsonObject;
  /**
   * Parses an event from outside: validates everything, normalises timestamps and UUIDs, and
   * leaves `data` and `metadata` unchanged. Idempotent.
   * @throws EventValidationError naming every invalid field.
   */
  parseSynapEvent(value: unknown): SynapEvent;
  /** Does what `parseSynapEvent` does, and returns issues instead of throwing. */
  safeParseSynapEvent(value: unknown): EventReading;
  /** Does what `safeParseSynapEvent` does for an event whose personal values may be sealed: see `personal` of its type. */
  safeParseSealed(value: unknown): EventReading;
  /**
   * Returns an event with its data at the current version of its type, and everything else as it is. The event itself if it is
   * there already, and if this catalogue doesn't know its type or its version: see `isNewer`.
   * @throws EventUpcastError when a step fails; StoredDataInvalidError when the type asks for `parse`
   */
  upcast<Event extends SynapEvent>(event: Event): Event;
  /** True if the event was written with a version of its type that is newer than this catalogue's. */
  isNewer(event: Pick<SynapEvent, "type" | "schemaVersion">): boolean;
  /**
   * The catalogue's events as a Zod union discriminated by `type`, for code that uses Zod schemas: forms, OpenAPI
   * documents, JSON Schema. It validates the fields of an event and its data; `parseSynapEvent` also checks the size, the values
   * inside the data, and `validTo` against `validFrom`, and normalises timestamps and UUIDs.
   */
  readonly eventSchema: z.ZodType;
}

/** A catalogue with static event types: a wrong payload is a compile error, and editors complete names. */
export interface TypedEventCatalogue<Types extends EventTypeMap> extends EventCatalogue {
  /** Carries the types of the data at compile time. Never set. */
  readonly eventTypes?: Types;
  withRegistered(registered: RegisteredTypes): TypedEventCatalogue<Types>;
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
   * Returns stored events with the types of this catalogue, at the current versions of these. Validates only types that ask for `parse`: a
   * catalogue accepted each event before it was stored. An event of a type that the application no longer defines keeps its data, and so does one
   * for which `isNewer` is true.
   * @throws EventUpcastError, StoredDataInvalidError
   */
  typeStored<Name extends keyof Types & string = keyof Types & string>(
    events: readonly StoredEvent[],
  ): readonly StoredEventIn<Types, Name>[];
}

/** Options of a catalogue. */
export interface CatalogueOptions {
  /** Event types beside those of the code. */
  readonly registered?: RegisteredTypes | undefined;
  /** Maximum nesting inside `data` and `metadata`, the outermost object counting as 1. Default 32. */
  readonly maxDepth?: number | undefined;
}

/**
 * Creates a catalogue from definitions.
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
  const { registered } = options;
  const find = (type: string, version?: number) => byName.get(type) ?? registered?.find(type, version);
  const rules: EventRules = {
    maxDepth: options.maxDepth ?? DEFAULT_MAX_DEPTH,
    find,
    names: () => (registered === undefined ? byName.keys() : [...byName.keys(), ...registered.names()]),
  };
  const sealedRules: EventRules = { ...rules, acceptsSealed: true };
  // The only place where a validated value gets its static type: the schema found by the event's type
  // has accepted the data, and the map has the output type of that schema.
  const read = (value: unknown) => readEvent(value, rules) as EventReading<SynapEventOf<Types>>;
  const defaultsOf = (type: string) => {
    const definition = find(type);
    if (definition === undefined) return { aggregateType: inferAggregateType(type), version: 1 };
    // Which version of a registered type is the newest depends on when this process has looked it up.
    return definition.isRegistered ? { aggregateType: definition.aggregateType, version: 1 } : definition;
  };
  const completeEvent = <Type extends string, Data>(input: EventInput<Type, Data>) =>
    fillDefaults(input, defaultsOf(input.type));

  let eventSchema: EventSchema<Types> | undefined;
  return {
    types,
    // Created lazily: most programs don't use it.
    get eventSchema() {
      eventSchema ??= createEventSchema<Types>(types);
      return eventSchema;
    },
    typeStored: <Name extends keyof Types & string>(events: readonly StoredEvent[]) => {
      const upcast: readonly StoredEvent[] = events.map((event) =>
        upcastEvent(event, byName.get(event.type)),
      );
      return upcast as readonly StoredEventIn<Types, Name>[];
    },
    get: (name) => find(name),
    has: (name) => find(name) !== undefined,
    registered,
    withRegistered: (others) => buildCatalogue(types, { ...options, registered: others }),
    extend: (definitions) => buildCatalogue([...types, ...definitions], options),
    completeEvent,
    createSynapEvent: <Name extends keyof Types & string>(input: EventInput<Name, Types[Name]>) =>
      accept(readEvent(completeEvent(input), rules)) as SynapEvent<Name, Types[Name]>,
    validateEventData: <Name extends keyof Types & string>(type: Name, data: unknown) => {
      const issues = checkEventData({ type, schemaVersion: find(type)?.version }, data, rules);
      if (issues.length > 0) throw new EventValidationError(issues);
      return data as Types[Name];
    },
    parseSynapEvent: (value) => accept(read(value)),
    // A registered type has no steps: its events are read as they were written, and each version accepts those before it.
    upcast: (event) => upcastEvent(event, byName.get(event.type)),
    isNewer: (event) => isNewerVersion(event, byName.get(event.type)),
    safeParseSynapEvent: read,
    safeParseSealed: (value) => readEvent(value, sealedRules),
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
