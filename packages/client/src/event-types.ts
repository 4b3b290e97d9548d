import type { EventInput, EventTypeMap, StoredEvent } from "@synap/types";
import type { Resource } from "./resources.ts";

/** A catalogue as the client sees it: only its types count. `typeof catalogue` is one. */
export interface CatalogueTypes {
  readonly eventTypes?: EventTypeMap;
}

/** The event types of a catalogue, by name. */
export type TypesOf<Catalogue extends CatalogueTypes> = NonNullable<Catalogue["eventTypes"]>;

/** The name of an event type. */
export type NameOf<Types extends EventTypeMap> = keyof Types & string;

/** An event to publish: a union discriminated by `type`. */
export type PublishableEvent<Types extends EventTypeMap> = {
  [Name in NameOf<Types>]: EventInput<Name, Types[Name]>;
}[NameOf<Types>];

/** An event to append to a stream, which the stream's name completes. */
export type AppendableEvent<Types extends EventTypeMap> = {
  [Name in NameOf<Types>]: Omit<EventInput<Name, Types[Name]>, "aggregateType" | "aggregateId">;
}[NameOf<Types>];

/** A stored event of these types: a union discriminated by `type`. */
export type StoredEventOf<Types extends EventTypeMap, Name extends NameOf<Types> = NameOf<Types>> = {
  [Each in Name]: StoredEvent<Each, Types[Each]>;
}[Name];

/**
 * Stored events as the API answered them, with the types of the client's catalogue. Nothing is checked here: the catalogue
 * that the client was given is taken to be that of the API.
 */
export function typedEvents<Types extends EventTypeMap, Name extends NameOf<Types>>(
  events: readonly Resource<"StoredEvent">[],
): readonly StoredEventOf<Types, Name>[] {
  return events as readonly unknown[] as readonly StoredEventOf<Types, Name>[];
}
