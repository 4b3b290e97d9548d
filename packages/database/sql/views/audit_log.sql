-- The audit log: who did what to which aggregate, and when. One row for each event, without its data. It is the log under other
-- names, so it costs an event nothing and has every event that was stored. synap.audit_entries reads pages of it.
CREATE OR REPLACE VIEW synap_read.audit_log AS
SELECT e."position", e."timestamp" AS happened_at, e.recorded_at, e.id AS event_id, e.created_by AS actor, e.user_id,
       e.type AS action, e.aggregate_type AS subject_type, e.aggregate_id AS subject_id, e.stream_version AS subject_version,
       e.source, e.request_id, e.causation_id, e.correlation_id
  FROM synap.events AS e;

GRANT SELECT ON synap_read.audit_log TO synap_app;
