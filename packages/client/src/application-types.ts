import type { DeciderTypes } from "./aggregates.ts";
import type { EventTypeMap, StoredEventIn } from "./contract.ts";
import type { ReadModelTypes } from "./read-models.ts";
import type { Resource } from "./resources.ts";

/** A catalogue as the client sees it: only its types count. `typeof catalogue` is one. */
export interface CatalogueTypes {
  readonly eventTypes?: EventTypeMap;
}

/** The parts of an application as the client sees them. */
export interface PartTypes {
  /** The names of the handlers, as a union. */
  readonly handlers: string;
  /** The names of the projections, as a union. */
  readonly projections: string;
  readonly aggregates: {
    readonly decider: DeciderTypes & { readonly name: string };
    readonly path: string;
  };
  readonly readModels: ReadModelTypes;
}

/** A config as the client sees it: only its types count. `typeof config` is one. */
export interface ApplicationTypes {
  readonly catalogue: CatalogueTypes;
  readonly parts?: PartTypes;
}

/** The types of a client: those of a config, or only the event types of a catalogue. */
export type ClientTypes = ApplicationTypes | CatalogueTypes;

/** The event types of a client, by name. */
export type TypesOf<Source extends ClientTypes> = Source extends {
  readonly catalogue: infer Catalogue extends CatalogueTypes;
}
  ? NonNullable<Catalogue["eventTypes"]>
  : Source extends CatalogueTypes
    ? NonNullable<Source["eventTypes"]>
    : never;

/** The parts of a client. Where only its event types are known, any name is accepted. */
export type PartsOf<Source extends ClientTypes> = Source extends {
  readonly catalogue: CatalogueTypes;
  readonly parts?: infer Parts extends PartTypes | undefined;
}
  ? NonNullable<Parts>
  : PartTypes;

/** The name of an event type. */
export type NameOf<Types extends EventTypeMap> = keyof Types & string;

/**
 * The name under which dead letters are stored: that of a handler, of a build of a projection as `PROJECTION/BUILD`, or
 * `ingest-events` for events that the store refused.
 */
export type DeadLetterHandler<Parts extends PartTypes> =
  | Parts["handlers"]
  | `${Parts["projections"]}/${number}`
  | "ingest-events";

/** The aggregate whose commands are at a path. */
export type AggregateAt<Parts extends PartTypes, Path extends string> = PartAt<
  Parts["aggregates"],
  Path
>["decider"];

/** The read model at a path. */
export type ReadModelAt<Parts extends PartTypes, Path extends string> = PartAt<Parts["readModels"], Path>;

type PartAt<Part extends { readonly path: string }, Path extends string> = Part extends unknown
  ? Path extends Part["path"]
    ? Part
    : never
  : never;

/**
 * Stored events as the API answered them, with the types of the client's catalogue. Nothing is checked here: the catalogue
 * that the client was given is taken to be that of the API.
 *
 * @internal
 */
export function typedEvents<Types extends EventTypeMap, Name extends NameOf<Types>>(
  events: readonly Resource<"StoredEvent">[],
): readonly StoredEventIn<Types, Name>[] {
  return events as readonly unknown[] as readonly StoredEventIn<Types, Name>[];
}

/** One stored event with the types of the client's catalogue: see {@link typedEvents}. @internal */
export function typedEvent<Types extends EventTypeMap>(event: Resource<"StoredEvent">): StoredEventIn<Types> {
  return event as unknown as StoredEventIn<Types>;
}
