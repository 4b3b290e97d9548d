-- The events for people: columns in the order in which one reads them, newest first, so that
-- SELECT * FROM synap.event_stream LIMIT 20 shows what has just happened. Give a time range when you look further back.
-- Not for following the log: positions become visible out of order, and get_events knows how far it is safe to read.
CREATE OR REPLACE VIEW synap.event_stream AS
SELECT e."position", e."timestamp", e.type, e.aggregate_type, e.aggregate_id, e.stream_version, e.created_by, e.data,
       e.user_id, e.correlation_id, e.causation_id, e.id, e.source, e.idempotency_key, e.request_id, e.valid_from,
       e.valid_to, e.recorded_at, e.metadata
  FROM synap.events AS e
 ORDER BY e."timestamp" DESC, e."position" DESC;

SELECT synap.grant_to_sql_writers('SELECT', 'TABLE synap.event_stream');
