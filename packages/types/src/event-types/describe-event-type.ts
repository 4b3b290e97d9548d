import { SYNAP_EVENT_VERSIONS } from "../event/synap-event.ts";
import type { EventTypeDefinition } from "./define-event-type.ts";
import type { DescribedEventType } from "./event-reader.ts";

/** Describes the event types of a catalogue, sorted by name. */
export function describeEventTypes({
  types,
}: {
  readonly types: readonly EventTypeDefinition[];
}): readonly DescribedEventType[] {
  return types
    .map(({ name, aggregateType, description, jsonSchema, example }) => ({
      name,
      aggregateType,
      description,
      versions: SYNAP_EVENT_VERSIONS,
      jsonSchema,
      example,
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}
