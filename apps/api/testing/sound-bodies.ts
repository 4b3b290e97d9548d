/** Fields of a generated event that depend on the clock, on its type, or on its other fields. */
const UNSOUND = {
  plain: [
    "timestamp",
    "validTo",
    "valid_to",
    "aggregateType",
    "aggregate_type",
    "schemaVersion",
    "schema_version",
  ],
  cloudEvent: ["time", "validto", "aggregatetype", "synapmetadata", "schemaversion"],
} as const;

/** The generated envelope around the data of a type of the catalogue. */
export function soundEvent(generated: unknown, type = "application/json", isInStream = false): unknown {
  const event: Record<string, unknown> = { ...(generated as object) };
  for (const name of isCloudEvents(type) ? UNSOUND.cloudEvent : UNSOUND.plain) delete event[name];
  if (isInStream) for (const name of ["aggregateId", "aggregate_id"]) delete event[name];
  const typeField = "event_type" in event ? "event_type" : "type";
  return { ...event, [typeField]: "note.creation.requested", data: { content: "fuzz" } };
}

function isCloudEvents(type: string): boolean {
  return type.startsWith("application/cloudevents");
}

/** The generated batch with events as `soundEvent` makes them, and one at least. */
export function soundBatch(generated: unknown, type: string): unknown {
  if (Array.isArray(generated)) {
    const events = generated.map((each) => soundEvent(each, type));
    const cloudEvent = { specversion: "1.0", id: "1", source: "fuzz" };
    return events.length > 0 ? events : [soundEvent(isCloudEvents(type) ? cloudEvent : {}, type)];
  }
  const { events } = generated as { events: unknown[] };
  return { events: soundBatch(events, type) };
}

/** The generated append with events as `soundEvent` makes them. */
export function soundAppend(generated: unknown): unknown {
  const { events, ...rest } = generated as { events: unknown[] };
  return { ...rest, events: events.map((each) => soundEvent(each, undefined, true)) };
}
