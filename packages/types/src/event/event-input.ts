import type { EventInput, SynapEvent } from "./event.ts";
import { createEventId } from "./event-id.ts";
import { assembleEvent } from "./read-plain-event.ts";
import { synapEventSchema } from "./synap-event.ts";

/** The schema of an event as clients send it: only `type` and `data` are required, unknown fields are refused. */
export const eventInputSchema = synapEventSchema.partial().required({ type: true, data: true });

/** Infers the aggregate type from an event type's name: the part before the first dot. */
export function inferAggregateType(type: string): string {
  const dot = type.indexOf(".");
  return dot < 0 ? type : type.slice(0, dot);
}

/** The fields that an event type's definition fills in. */
export interface TypeDefaults {
  readonly aggregateType: string;
  /** The current version of its schema. */
  readonly version: number;
}

/** Fills in omitted fields. Neither validates nor normalises anything: `parseSynapEvent` does. */
export function fillDefaults<Type extends string, Data>(
  input: EventInput<Type, Data>,
  defaults: TypeDefaults,
): SynapEvent<Type, Data> {
  const { type, data, userId } = input;
  const id = input.id ?? createEventId();
  return assembleEvent({
    id,
    version: input.version ?? "v1",
    type,
    schemaVersion: input.schemaVersion ?? defaults.version,
    aggregateType: input.aggregateType ?? defaults.aggregateType,
    // Ids are stored in lower case; the validation that follows decides whether this is an id at all.
    aggregateId: input.aggregateId ?? String(id).toLowerCase(),
    data,
    userId,
    createdBy: input.createdBy ?? (userId === undefined ? "system" : `user:${userId}`),
    source: input.source ?? "api",
    timestamp: input.timestamp ?? writeNow(),
    requestId: input.requestId,
    correlationId: input.correlationId,
    causationId: input.causationId,
    idempotencyKey: input.idempotencyKey,
    validFrom: input.validFrom,
    validTo: input.validTo,
    metadata: input.metadata,
  });
}

let lastNow = { milliseconds: Number.NaN, text: "" };

/** The current time as text, cached, because formatting it takes longer than all other defaults together. */
function writeNow(): string {
  const milliseconds = Date.now();
  if (milliseconds !== lastNow.milliseconds) {
    lastNow = { milliseconds, text: new Date(milliseconds).toISOString() };
  }
  return lastNow.text;
}
