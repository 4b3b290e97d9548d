import { createEventId } from "./event-id.ts";
import type { JsonObject } from "./json.ts";
import { assembleEvent } from "./read-plain-event.ts";
import { type SynapEvent, synapEventSchema } from "./synap-event.ts";

/** What a sender may leave out: every field but the type and the data. Undefined counts as left out. */
type Omissible = {
  readonly [Field in keyof SynapEvent as Exclude<Field, "type" | "data">]?: SynapEvent[Field] | undefined;
};

/**
 * An event as a sender gives it. What is left out is filled in: `id` with a fresh UUIDv7 (give your own to make sending again
 * harmless), `aggregateType` with what the event type's definition names, `aggregateId` with the event's own id, which starts a
 * new stream, `createdBy` with `user:{userId}` or `system`, `source` with `api`, and `timestamp` with now.
 */
export interface EventInput<Type extends string = string, Data = JsonObject> extends Omissible {
  readonly type: Type;
  readonly data: Data;
}

/** Schema of an event as clients send it: only `type` and `data` are required, unknown fields are refused. */
export const eventInputSchema = synapEventSchema.partial().required({ type: true, data: true });

/** The kind of aggregate an event type's name speaks of: the part before the first dot. */
export function inferAggregateType(type: string): string {
  const dot = type.indexOf(".");
  return dot < 0 ? type : type.slice(0, dot);
}

/**
 * Fills in what the sender left out. It neither checks nor normalises anything: `parseSynapEvent` does.
 * `aggregateType` is what the event type's definition names.
 */
export function fillDefaults<Type extends string, Data>(
  input: EventInput<Type, Data>,
  aggregateType: string,
): SynapEvent<Type, Data> {
  const { type, data, userId } = input;
  const id = input.id ?? createEventId();
  return assembleEvent({
    id,
    version: input.version ?? "v1",
    type,
    aggregateType: input.aggregateType ?? aggregateType,
    // Ids are stored in lower case; whether this one is an id at all is for the check that follows to say.
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

/** The time. Writing it takes longer than all else that is filled in, and a batch is read in a few milliseconds. */
function writeNow(): string {
  const milliseconds = Date.now();
  if (milliseconds !== lastNow.milliseconds) {
    lastNow = { milliseconds, text: new Date(milliseconds).toISOString() };
  }
  return lastNow.text;
}
