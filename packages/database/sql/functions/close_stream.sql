-- Closes a stream, which then accepts no more events and can still be read. Idempotent.
--
--   expected  "any", "no-stream", "stream-exists" or a version
--
-- Returns the stream's version; NULL when the stream does not exist and was not expected to. Raises SY001 (detail: JSON)
-- when the stream is at another version. The stream's row lock orders it among the appends. Runs as the owner, like
-- append_new_events.
CREATE OR REPLACE FUNCTION synap.close_stream(aggregate_type text, aggregate_id text, expected jsonb)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
  actual bigint;
BEGIN
  SELECT s.version INTO actual
    FROM synap.streams AS s
   WHERE s.aggregate_type = close_stream.aggregate_type AND s.aggregate_id = close_stream.aggregate_id
     FOR UPDATE;

  IF actual IS NULL AND expected IN ('"any"', '"no-stream"', '0') THEN
    RETURN NULL;
  END IF;
  IF NOT (expected = '"any"' OR (expected = '"stream-exists"' AND actual IS NOT NULL)
          OR expected = to_jsonb(coalesce(actual, 0)))
  THEN
    RAISE EXCEPTION 'stream % % is at version %, expected %',
      aggregate_type, aggregate_id, coalesce(actual, 0), expected #>> '{}'
      USING ERRCODE = 'SY001', DETAIL = jsonb_build_object(
        'aggregateType', aggregate_type, 'aggregateId', aggregate_id,
        'expected', expected, 'actual', coalesce(actual, 0));
  END IF;

  UPDATE synap.streams AS s
     SET closed_at = pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp())
   WHERE s.aggregate_type = close_stream.aggregate_type AND s.aggregate_id = close_stream.aggregate_id
     AND s.closed_at IS NULL;
  RETURN actual;
END
$function$;

REVOKE ALL ON FUNCTION synap.close_stream(text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.close_stream(text, text, jsonb) TO synap_app;
