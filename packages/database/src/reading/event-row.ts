import type { JsonObject, StoredEvent } from "@synap/types";

/** A row of `synap.events`, as `EVENT_COLUMNS` selects it. */
export interface EventRow {
  readonly position: number;
  readonly stream_version: number;
  readonly timestamp: Date;
  readonly recorded_at: Date;
  readonly valid_from: Date | null;
  readonly valid_to: Date | null;
  readonly id: string;
  readonly causation_id: string | null;
  readonly version: "v1";
  readonly type: string;
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  readonly user_id: string | null;
  readonly created_by: string;
  readonly source: string;
  readonly request_id: string | null;
  readonly correlation_id: string | null;
  readonly idempotency_key: string | null;
  readonly data: JsonObject;
  readonly metadata: JsonObject | null;
}

/** The columns of an event, for a SELECT. */
export const EVENT_COLUMNS = `"position", stream_version, "timestamp", recorded_at, valid_from, valid_to, id, causation_id,
       version, type, aggregate_type, aggregate_id, user_id, created_by, source, request_id, correlation_id,
       idempotency_key, data, metadata`;

/** The event that a row holds; what it doesn't have is left out. */
export function readEventRow(row: EventRow): StoredEvent {
  return {
    id: row.id,
    version: row.version,
    type: row.type,
    aggregateType: row.aggregate_type,
    aggregateId: row.aggregate_id,
    data: row.data,
    ...(row.user_id !== null && { userId: row.user_id }),
    createdBy: row.created_by,
    source: row.source,
    timestamp: row.timestamp.toISOString(),
    ...(row.request_id !== null && { requestId: row.request_id }),
    ...(row.correlation_id !== null && { correlationId: row.correlation_id }),
    ...(row.causation_id !== null && { causationId: row.causation_id }),
    ...(row.idempotency_key !== null && { idempotencyKey: row.idempotency_key }),
    ...(row.valid_from !== null && { validFrom: row.valid_from.toISOString() }),
    ...(row.valid_to !== null && { validTo: row.valid_to.toISOString() }),
    ...(row.metadata !== null && { metadata: row.metadata }),
    position: row.position,
    streamVersion: row.stream_version,
    recordedAt: row.recorded_at.toISOString(),
  };
}
