import type { JsonObject, StoredEvent } from "@synap/types";
import { isoFromJson } from "../connection/moments.ts";

/** A row of `synap.events`, as `EVENT` selects it. */
export interface EventRow {
  /** JSON: the columns in the order of `EventColumns`. */
  readonly event: string;
}

// The columns of synap.events, listed here once more because an event is read by index: its text then holds no names, which
// would be built, sent and parsed with each event. event-fields.test.ts compares them with the fields in @synap/types and with
// the columns in SQL.
type EventColumns = readonly [
  position: number,
  streamVersion: number,
  timestamp: string,
  recordedAt: string,
  id: string,
  version: "v1",
  type: string,
  aggregateType: string,
  aggregateId: string,
  userId: string | null,
  createdBy: string,
  source: string,
  correlationId: string | null,
  data: JsonObject,
  /** Fields that most events don't have; null when it has none of them. */
  rest: RestOfColumns | null,
];

type RestOfColumns = readonly [
  requestId: string | null,
  causationId: string | null,
  idempotencyKey: string | null,
  validFrom: string | null,
  validTo: string | null,
  metadata: JsonObject | null,
  schemaVersion: number | null,
];

const REST = "request_id, causation_id, idempotency_key, valid_from, valid_to, metadata, schema_version";

/**
 * SQL expression for an event as one JSON text, for a SELECT from `synap.events` or from some of its rows. Drivers parse rows
 * field by field, which is most of the cost of a page; one JSON text per event, parsed by V8, takes half the time for 1,000
 * events. Apply it after sorting and limiting: `FROM (SELECT * ... LIMIT) AS page`.
 */
export const EVENT_TEXT = `json_build_array(
         "position", stream_version, "timestamp", recorded_at, id, version, type, aggregate_type, aggregate_id, user_id,
         created_by, source, correlation_id, data,
         CASE WHEN num_nonnulls(${REST}) > 0 THEN json_build_array(${REST}) END
       )::text`;

/** `EVENT_TEXT` as the column of an `EventRow`. */
export const EVENT = `${EVENT_TEXT} AS event`;

/** Parses the event of a row. */
export function readEventRow(row: EventRow): StoredEvent {
  return readEventText(row.event);
}

/** Parses the JSON text of an event, leaving out fields that are null. */
export function readEventText(text: string): StoredEvent {
  const [
    position,
    streamVersion,
    timestamp,
    recordedAt,
    id,
    version,
    type,
    aggregateType,
    aggregateId,
    userId,
    createdBy,
    source,
    correlationId,
    data,
    rest,
  ] = JSON.parse(text) as EventColumns;
  // Fields are assigned one by one, because spreading optional objects allocates three times as much.
  const event: { -readonly [Field in keyof StoredEvent]: StoredEvent[Field] } = {
    id,
    version,
    type,
    aggregateType,
    aggregateId,
    data,
    createdBy,
    source,
    timestamp: isoFromJson(timestamp),
    position,
    streamVersion,
    recordedAt: isoFromJson(recordedAt),
  };
  if (userId !== null) event.userId = userId;
  if (correlationId !== null) event.correlationId = correlationId;
  if (rest === null) return event;
  const [requestId, causationId, idempotencyKey, validFrom, validTo, metadata, schemaVersion] = rest;
  if (requestId !== null) event.requestId = requestId;
  if (causationId !== null) event.causationId = causationId;
  if (idempotencyKey !== null) event.idempotencyKey = idempotencyKey;
  if (validFrom !== null) event.validFrom = isoFromJson(validFrom);
  if (validTo !== null) event.validTo = isoFromJson(validTo);
  if (metadata !== null) event.metadata = metadata;
  if (schemaVersion !== null) event.schemaVersion = schemaVersion;
  return event;
}
