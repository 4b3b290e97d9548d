import type { JsonObject, StoredEvent } from "@synap/types";

/** A row of `synap.events`, as `EVENT_COLUMNS` selects it. */
export interface EventRow {
  readonly position: number;
  readonly stream_version: number;
  readonly happened_at: string;
  readonly stored_at: string;
  readonly id: string;
  readonly version: "v1";
  readonly type: string;
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  readonly user_id: string | null;
  readonly created_by: string;
  readonly source: string;
  readonly correlation_id: string | null;
  readonly data: JsonObject;
  /** The fields that most events don't have; null when it has none of them. */
  readonly rest: RestOfRow | null;
}

type RestOfRow = readonly [
  requestId: string | null,
  causationId: string | null,
  idempotencyKey: string | null,
  validFrom: string | null,
  validTo: string | null,
  metadata: JsonObject | null,
];

const REST = `request_id, causation_id, idempotency_key, valid_from::text, valid_to::text, metadata`;

/**
 * The columns of an event, for a SELECT from `synap.events`. Reading rows is most of what a page costs, hence two
 * tricks. Times come as text, because making each a `Date` and a text of that takes longer than all the other fields;
 * they have names of their own, or ORDER BY would take the text for the time. And what most events don't have shares a
 * column: with more than 16, V8 keeps each row as a hash table, which takes twice as long to fill and to collect.
 */
export const EVENT_COLUMNS = `"position", stream_version, "timestamp"::text AS happened_at, recorded_at::text AS stored_at,
       id, version, type, aggregate_type, aggregate_id, user_id, created_by, source, correlation_id, data,
       CASE WHEN num_nonnulls(${REST}) > 0 THEN json_build_array(${REST}) END AS rest`;

/** The event that a row holds; what it doesn't have is left out. */
export function readEventRow(row: EventRow): StoredEvent {
  // Fields are added one by one: spreading an object for each that may be missing made three times the garbage.
  const event: { -readonly [Field in keyof StoredEvent]: StoredEvent[Field] } = {
    id: row.id,
    version: row.version,
    type: row.type,
    aggregateType: row.aggregate_type,
    aggregateId: row.aggregate_id,
    data: row.data,
    createdBy: row.created_by,
    source: row.source,
    timestamp: readMoment(row.happened_at),
    position: row.position,
    streamVersion: row.stream_version,
    recordedAt: readMoment(row.stored_at),
  };
  if (row.user_id !== null) event.userId = row.user_id;
  if (row.correlation_id !== null) event.correlationId = row.correlation_id;
  if (row.rest === null) return event;
  const [requestId, causationId, idempotencyKey, validFrom, validTo, metadata] = row.rest;
  if (requestId !== null) event.requestId = requestId;
  if (causationId !== null) event.causationId = causationId;
  if (idempotencyKey !== null) event.idempotencyKey = idempotencyKey;
  if (validFrom !== null) event.validFrom = readMoment(validFrom);
  if (validTo !== null) event.validTo = readMoment(validTo);
  if (metadata !== null) event.metadata = metadata;
  return event;
}

/**
 * `2026-03-01 09:30:00.25+00` as `2026-03-01T09:30:00.250Z`. A session in another time zone than UTC writes other
 * texts, and so do times outside of our calendar; those take the slow way.
 */
function readMoment(text: string): string {
  if (!text.endsWith("+00") || text.charAt(4) !== "-") return new Date(text).toISOString();
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(3, "0")}Z`;
}
