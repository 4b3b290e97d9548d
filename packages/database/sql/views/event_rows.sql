-- Events with their columns ordered for reading: the columns of synap.event_stream, get_events and get_aggregate_events.
-- Without version, that of the contract, which is v1 for every event.
CREATE OR REPLACE VIEW synap.event_rows AS
SELECT e."position", e."timestamp", e.type, e.aggregate_type, e.aggregate_id, e.stream_version, e.created_by, e.data,
       e.user_id, e.correlation_id, e.causation_id, e.id, e.source, e.idempotency_key, e.request_id, e.valid_from,
       e.valid_to, e.recorded_at, e.metadata, e.schema_version
  FROM synap.events AS e;
