-- Returns the digest of a stored event: SHA-256 over its columns as a JSON array in UTF-8, with moments in milliseconds since 1970, so
-- that it depends on no setting of the session. A column that is added later goes behind the array, and only where it has a value:
-- the digests of the events before it must stay as they are.
--
-- One expression, so that the planner puts it in place of the call.
CREATE OR REPLACE FUNCTION synap.event_digest(event synap.events) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.json_build_array(
    event."position", event.stream_version,
    (extract(epoch FROM event."timestamp") * 1000)::bigint, (extract(epoch FROM event.recorded_at) * 1000)::bigint,
    (extract(epoch FROM event.valid_from) * 1000)::bigint, (extract(epoch FROM event.valid_to) * 1000)::bigint,
    event.id, event.causation_id, event.version, event.type, event.aggregate_type, event.aggregate_id, event.user_id,
    event.created_by, event.source, event.request_id, event.correlation_id, event.idempotency_key, event.data, event.metadata
  )::text || CASE WHEN event.schema_version IS NULL THEN '' ELSE
    pg_catalog.json_build_object('schemaVersion', event.schema_version)::text
  END, 'UTF8'))
$$;

REVOKE ALL ON FUNCTION synap.event_digest(synap.events) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.event_digest(synap.events) TO synap_app;
