import type { EventTypeMap, StoredEventIn } from "@synap/types";
import type { Resource } from "./resources.ts";

/** A catalogue as the client sees it: only its types count. `typeof catalogue` is one. */
export interface CatalogueTypes {
  readonly eventTypes?: EventTypeMap;
}

/** The event types of a catalogue, by name. */
export type TypesOf<Catalogue extends CatalogueTypes> = NonNullable<Catalogue["eventTypes"]>;

/** The name of an event type. */
export type NameOf<Types extends EventTypeMap> = keyof Types & string;

/**
 * Stored events as the API answered them, with the types of the client's catalogue. Nothing is checked here: the catalogue
 * that the client was given is taken to be that of the API.
 */
export function typedEvents<Types extends EventTypeMap, Name extends NameOf<Types>>(
  events: readonly Resource<"StoredEvent">[],
): readonly StoredEventIn<Types, Name>[] {
  return events as readonly unknown[] as readonly StoredEventIn<Types, Name>[];
}
