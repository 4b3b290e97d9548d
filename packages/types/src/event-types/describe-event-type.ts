import { SYNAP_EVENT_VERSIONS } from "../event/synap-event.ts";
import type { EventTypeDefinition } from "./define-event-type.ts";
import type { DescribedEventType } from "./event-reader.ts";

/** Describes an event type as lists and documents have it. */
export function describeEventType({
  name,
  aggregateType,
  description,
  version: schemaVersion,
  earlier,
  jsonSchema,
  example,
  isRegistered,
}: EventTypeDefinition): DescribedEventType {
  const earlierSchemas = earlier.map(({ version, jsonSchema }) => ({ schemaVersion: version, jsonSchema }));
  const versions = SYNAP_EVENT_VERSIONS;
  return {
    name,
    aggregateType,
    description,
    versions,
    schemaVersion,
    jsonSchema,
    earlierSchemas,
    example,
    ...(isRegistered && { isRegistered }),
  };
}

/** Describes the event types of a catalogue, sorted by name. */
export function describeEventTypes({
  types,
}: {
  readonly types: readonly EventTypeDefinition[];
}): readonly DescribedEventType[] {
  return types.map(describeEventType).sort((one, other) => (one.name < other.name ? -1 : 1));
}
