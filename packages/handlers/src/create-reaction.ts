import {
  type EventTypeDefinition,
  type JsonObject,
  type StoredEvent,
  type SynapEvent,
  traceContextOf,
} from "@synap/types";
import { withTraceContext } from "@synap/types/internal";
import { derivedEventId } from "./derived-event-id.ts";

/** The parts of a reaction. */
export interface Reaction<Data extends JsonObject> {
  /** The name of the handler that appends it. */
  readonly handler: string;
  /** The event that caused it. */
  readonly cause: StoredEvent;
  /** Distinguishes the events of one type that one handler appends for one cause. */
  readonly part?: string;
  /** The id of the aggregate to whose stream it is appended. */
  readonly aggregateId: string;
  readonly data: Data;
}

/**
 * Creates an event that a handler appends in response to another. Its id and timestamp derive from the cause, so that it is
 * stored once however often the handler runs; it inherits the cause's correlation id, user, request and trace context.
 *
 * @example
 * async handle(events, { append }) {
 *   await append(
 *     events.map((order) =>
 *       createReaction(invoiceIssued, {
 *         handler: "invoicing",
 *         cause: order,
 *         aggregateId: order.aggregateId,
 *         data: { amount: order.data.total },
 *       }),
 *     ),
 *   );
 * }
 */
export function createReaction<const Name extends string, Data extends JsonObject>(
  definition: EventTypeDefinition<Name, Data>,
  { handler, cause, part, aggregateId, data }: Reaction<NoInfer<Data>>,
): SynapEvent<Name, Data> {
  const metadata = withTraceContext(undefined, traceContextOf(cause));
  return {
    id: derivedEventId({ handler, cause: cause.id, ...(part !== undefined && { part }) }),
    version: "v1",
    type: definition.name,
    ...(definition.version !== 1 && { schemaVersion: definition.version }),
    aggregateType: definition.aggregateType,
    aggregateId,
    data,
    ...(cause.userId !== undefined && { userId: cause.userId }),
    createdBy: "system",
    source: handler,
    // The time at which the cause was recorded is the same on every attempt; never earlier than the cause's own timestamp.
    timestamp: laterOf(cause.recordedAt, cause.timestamp),
    ...(cause.requestId !== undefined && { requestId: cause.requestId }),
    correlationId: cause.correlationId ?? cause.id,
    causationId: cause.id,
    ...(metadata !== undefined && { metadata }),
  };
}

/** The later of two timestamps in the one written form, which sorts as text. */
function laterOf(one: string, other: string): string {
  return one < other ? other : one;
}
