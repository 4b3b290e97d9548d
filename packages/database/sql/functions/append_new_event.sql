-- Appends one event: append_new_events for a single one, which most appends are, at half the cost. Where the two overlap, that
-- function has the reasons.
--
--   event     an object with the columns of synap.events; "position", stream_version and recorded_at are overwritten
--   expected  the version that the stream must be at; -1: any but 0; null: any
--
-- Answers the number of the append, from which the position follows, when it was recorded, and the version that the stream
-- was at.
--
-- Raises SY006 when the stream is closed; unique_violation for an id or an idempotency key that is taken; SY001 when the
-- stream is at another version and the event is not stored already.
--
-- Runs as the owner, as append_new_events does.
CREATE OR REPLACE FUNCTION synap.append_new_event(
  event    json,
  expected bigint DEFAULT NULL,
  OUT number         bigint,
  OUT recorded_at    timestamptz,
  OUT version_before bigint
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $function$
DECLARE
  stored    synap.events%ROWTYPE := json_populate_record(NULL::synap.events, event);
  closed_at timestamptz;
BEGIN
  recorded_at := date_trunc('milliseconds', clock_timestamp());

  -- 1. Lock the stream and move its version on.
  INSERT INTO synap.streams AS s (
    aggregate_type, aggregate_id, version, first_timestamp, last_timestamp, user_id, created_by
  )
  VALUES (
    stored.aggregate_type, stored.aggregate_id, 1, stored."timestamp", stored."timestamp", stored.user_id, stored.created_by
  )
      ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET
         version = s.version + 1,
         first_timestamp = least(s.first_timestamp, EXCLUDED.first_timestamp),
         last_timestamp = greatest(s.last_timestamp, EXCLUDED.last_timestamp)
  RETURNING s.version, s.closed_at INTO stored.stream_version, closed_at;
  version_before := stored.stream_version - 1;
  IF closed_at IS NOT NULL THEN
    RAISE EXCEPTION 'the stream is closed' USING ERRCODE = 'SY006';
  END IF;

  -- 2. Compare with the expected version.
  IF expected IS NOT NULL AND (CASE expected WHEN -1 THEN version_before = 0 ELSE version_before <> expected END) THEN
    PERFORM synap.refuse_version(
      json_build_array(json_build_object(
        'id', stored.id, 'createdBy', stored.created_by, 'idempotencyKey', stored.idempotency_key)),
      stored.aggregate_type, stored.aggregate_id, version_before, expected);
  END IF;

  -- 3. Take the number.
  number := synap.take_append_number();

  -- 4., 5. and 6. The event, its identities, and the append log.
  stored."position" := number * 1024;
  stored.recorded_at := append_new_event.recorded_at;
  INSERT INTO synap.events SELECT stored.*;
  IF stored.idempotency_key IS NOT NULL THEN
    INSERT INTO synap.idempotency_keys (created_by, key, event_id, "timestamp", "position", stream_version)
    VALUES (stored.created_by, stored.idempotency_key, stored.id, stored."timestamp", stored."position", stored.stream_version);
  END IF;
  INSERT INTO synap.event_ids (id, "timestamp", "position", stream_version)
  VALUES (stored.id, stored."timestamp", stored."position", stored.stream_version);
  INSERT INTO synap.appends (number, last_position, count, min_timestamp, max_timestamp, recorded_at)
  VALUES (append_new_event.number, stored."position", 1, stored."timestamp", stored."timestamp", stored.recorded_at);
  IF stored.metadata ?| ARRAY['corrects', 'retracts'] THEN
    PERFORM synap.record_amendments(number, stored."timestamp", stored."timestamp");
  END IF;
END
$function$;

REVOKE ALL ON FUNCTION synap.append_new_event(json, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.append_new_event(json, bigint) TO synap_app;
