-- Raises what an append to a stream of somebody else is refused with: the stream is to the caller as one that does not exist, at version 0,
-- and only who would create it learns that its name is taken. Nothing for a stream that is the caller's, or that does not exist.
--
-- Raises SY001 and SY015: see synap.post_own_event.
CREATE OR REPLACE FUNCTION synap.refuse_stream_of_other(
  aggregate_type text, aggregate_id text, expected text, user_id text, creator text
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
  stream CONSTANT jsonb := jsonb_build_object('aggregateType', aggregate_type, 'aggregateId', aggregate_id);
BEGIN
  IF NOT EXISTS (
    SELECT FROM synap.streams AS s
     WHERE s.aggregate_type = refuse_stream_of_other.aggregate_type AND s.aggregate_id = refuse_stream_of_other.aggregate_id
       AND CASE WHEN refuse_stream_of_other.user_id IS NULL THEN s.created_by <> creator
                ELSE s.user_id IS DISTINCT FROM refuse_stream_of_other.user_id END)
  THEN
    RETURN;
  END IF;
  IF expected IN ('any', 'no-stream', '0') THEN
    RAISE EXCEPTION 'the name of stream % % is taken', aggregate_type, aggregate_id
      USING ERRCODE = 'SY015', HINT = 'Choose another id.', DETAIL = stream;
  END IF;
  RAISE EXCEPTION 'stream % % is at version 0, expected %', aggregate_type, aggregate_id, expected
    USING ERRCODE = 'SY001', DETAIL = stream || jsonb_build_object(
      'actual', 0, 'expected', CASE WHEN expected ~ '^[0-9]{1,15}$' THEN to_jsonb(expected::bigint) ELSE to_jsonb(expected) END);
END
$function$;

REVOKE ALL ON FUNCTION synap.refuse_stream_of_other FROM PUBLIC;
