import { createEventId } from "./event-id.ts";
import type { JsonObject } from "./json.ts";
import { type SynapEvent, synapEventSchema } from "./synap-event.ts";

/** Fields that a sender may omit: everything but the type and the data. Undefined counts as omitted. */
export interface EventInput<Type extends string = string, Data = JsonObject> {
  readonly type: Type;
  readonly data: Data;
  /** Default: a fresh UUIDv7. Give your own to make sending again harmless. */
  readonly id?: string | undefined;
  readonly version?: "v1" | undefined;
  /** Default: what the event type's definition names, else the part of the type before the first dot. */
  readonly aggregateType?: string | undefined;
  /** Default: the event's own id, which starts a new stream: an event sent again by its id names the same stream. */
  readonly aggregateId?: string | undefined;
  readonly userId?: string | undefined;
  /** Default: `user:{userId}`, or `system` without a userId. */
  readonly createdBy?: string | undefined;
  /** Default: `api`. */
  readonly source?: string | undefined;
  /** RFC 3339 with any offset. Default: now. */
  readonly timestamp?: string | undefined;
  readonly requestId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly validFrom?: string | undefined;
  readonly validTo?: string | undefined;
  readonly metadata?: JsonObject | undefined;
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
  return {
    id,
    version: input.version ?? "v1",
    type,
    aggregateType: input.aggregateType ?? aggregateType,
    // Ids are stored in lower case; whether this one is an id at all is for the check that follows to say.
    aggregateId: input.aggregateId ?? String(id).toLowerCase(),
    data,
    ...(userId !== undefined && { userId }),
    createdBy: input.createdBy ?? (userId === undefined ? "system" : `user:${userId}`),
    source: input.source ?? "api",
    timestamp: input.timestamp ?? writeNow(),
    ...(input.requestId !== undefined && { requestId: input.requestId }),
    ...(input.correlationId !== undefined && { correlationId: input.correlationId }),
    ...(input.causationId !== undefined && { causationId: input.causationId }),
    ...(input.idempotencyKey !== undefined && { idempotencyKey: input.idempotencyKey }),
    ...(input.validFrom !== undefined && { validFrom: input.validFrom }),
    ...(input.validTo !== undefined && { validTo: input.validTo }),
    ...(input.metadata !== undefined && { metadata: input.metadata }),
  };
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
