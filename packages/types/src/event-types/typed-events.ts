import type { EventInput, StoredEvent, SynapEvent } from "../event/event.ts";
import type { JsonObject } from "../json/json.ts";

/** The data type of each event type, by name, at compile time. */
export type EventTypeMap = Record<string, JsonObject>;

/** The names of the event types in a catalogue, as a union: `EventTypeName<typeof seedCatalogue>`. */
export type EventTypeName<Catalogue extends { readonly eventTypes?: EventTypeMap }> = keyof NonNullable<
  Catalogue["eventTypes"]
> &
  string;

/** Every event of a map of types: a union discriminated by `type`, so that checking `event.type` types `event.data`. */
export type SynapEventOf<Types extends EventTypeMap> = {
  [Name in keyof Types & string]: SynapEvent<Name, Types[Name]>;
}[keyof Types & string];

/** A stored event of a map of types, or of the named ones among them: a union discriminated by `type`. */
export type StoredEventIn<
  Types extends EventTypeMap,
  Name extends keyof Types & string = keyof Types & string,
> = { [Each in Name]: StoredEvent<Each, Types[Each]> }[Name];

/** A part of data: each field may be left out, also those of objects in it, and items of lists. */
export type PartOf<Data> = Data extends readonly (infer Item)[]
  ? PartOf<Item>[]
  : Data extends object
    ? { readonly [Field in keyof Data]?: PartOf<Data[Field]> }
    : Data;

/** An event to publish of a map of types: a union discriminated by `type`. */
export type PublishableEvent<Types extends EventTypeMap> = {
  [Name in keyof Types & string]: EventInput<Name, Types[Name]>;
}[keyof Types & string];

/** An event to append to a stream, which supplies the aggregate type and id. */
export type AppendableEvent<Types extends EventTypeMap> = {
  [Name in keyof Types & string]: Omit<EventInput<Name, Types[Name]>, "aggregateType" | "aggregateId">;
}[keyof Types & string];

type IsUnion<Type, Each = Type> = Type extends unknown ? ([Each] extends [Type] ? false : true) : never;

/**
 * An event to publish, as a parameter. Its `type` decides on the type of its `data`, so that the compiler describes a misspelt field
 * by that type and not by those of all events. An event that may be of several types is compared with each as a whole.
 */
export type EventToPublish<Types extends EventTypeMap, Name extends keyof Types & string> = EventInput<
  Name,
  Types[Name]
> &
  (IsUnion<Name> extends true ? PublishableEvent<Types> : unknown);

/** Events to publish, as a parameter: see {@link EventToPublish}. */
export type EventsToPublish<
  Types extends EventTypeMap,
  Names extends readonly (keyof Types & string)[],
> = readonly [...{ readonly [Index in keyof Names]: EventToPublish<Types, Names[Index]> }];

/** Events to append, as a parameter: see {@link EventToPublish}. */
export type EventsToAppend<
  Types extends EventTypeMap,
  Names extends readonly (keyof Types & string)[],
> = readonly [
  ...{
    readonly [Index in keyof Names]: Omit<
      EventInput<Names[Index], Types[Names[Index]]>,
      "aggregateType" | "aggregateId"
    > &
      (IsUnion<Names[Index]> extends true ? AppendableEvent<Types> : unknown);
  },
];
