import type { EventTypeDefinition } from "./define-event-type.ts";
import type { EventCatalogue } from "./event-catalogue.ts";

/**
 * Event types that are registered at run time, as far as this process knows them. Reading an event is synchronous and looking a type up is not, so a
 * reading that comes upon an unknown type is repeated once the type has been looked up.
 */
export interface RegisteredTypes {
  /** The type of this name, if it is known; a name or a version that isn't is noted for `read`. */
  find(name: string, version?: number): EventTypeDefinition | undefined;
  /** The names that are known. */
  names(): Iterable<string>;
  /**
   * Runs a synchronous reading. If it comes upon names or versions that are not known and that turn out to be registered, it is run once
   * more, and the result of that is returned. A promise only if something had to be looked up.
   *
   * @param session in which to look; needed inside a transaction of the embedded engine
   */
  read<Result>(reading: () => Result, session?: LookUpSession): Result | Promise<Result>;
  /** The type of this name at its newest version; undefined if none is registered. */
  current(name: string): Promise<EventTypeDefinition | undefined>;
  /** All types that are registered at their newest versions, sorted by name. */
  all(): Promise<readonly EventTypeDefinition[]>;
}

/** The part of a database session that a look-up needs. */
export interface LookUpSession {
  query<Row extends object>(text: string, parameters?: readonly (string | number)[]): Promise<Row[]>;
}

/** All event types of a catalogue, also those that are registered. */
export async function allEventTypes({
  types,
  registered,
}: Pick<EventCatalogue, "types" | "registered">): Promise<readonly EventTypeDefinition[]> {
  const own = new Set(types.map(({ name }) => name));
  return [...types, ...((await registered?.all()) ?? []).filter(({ name }) => !own.has(name))];
}

/** Makes something of all event types, and again once they are others. A type that has not changed is the same object. */
export function madeOfTypes<Made>(
  catalogue: Pick<EventCatalogue, "types" | "registered">,
  make: (types: readonly EventTypeDefinition[]) => Made,
): () => Promise<Made> {
  let last: { readonly types: readonly EventTypeDefinition[]; readonly made: Made } | undefined;
  return async () => {
    const types = await allEventTypes(catalogue);
    const before = last?.types ?? [];
    if (
      last === undefined ||
      types.length !== before.length ||
      types.some((type, index) => type !== before[index])
    )
      last = { types, made: make(types) };
    return last.made;
  };
}

/** The event type of this name, also one that is registered. */
export async function findEventType(
  { types, registered }: Pick<EventCatalogue, "types" | "registered">,
  name: string,
): Promise<EventTypeDefinition | undefined> {
  return types.find((type) => type.name === name) ?? registered?.current(name);
}

/** Runs a reading with a catalogue, and once more if it came upon types that are registered: see `RegisteredTypes.read`. */
export function readWithRegistered<Result>(
  { registered }: Pick<EventCatalogue, "registered">,
  reading: () => Result,
  session?: LookUpSession,
): Result | Promise<Result> {
  return registered === undefined ? reading() : registered.read(reading, session);
}
