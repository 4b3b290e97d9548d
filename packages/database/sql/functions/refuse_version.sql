-- Raises what an append of these events is refused with when a stream is at another version than expected.
--
--   events  array of SynapEvent objects: those of the append
--
-- Raises SY001 (detail: JSON with aggregateType, aggregateId, expected and actual), or unique_violation if one of the events
-- is stored already: the same append sent again is answered as it was the first time, whatever the version is by now.
CREATE OR REPLACE FUNCTION synap.refuse_version(
  events         json,
  aggregate_type text,
  aggregate_id   text,
  actual         bigint,
  expected       bigint
) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
-- As for append_new_events.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $function$
BEGIN
  IF EXISTS (
    SELECT FROM json_to_recordset(events) AS e(id uuid, "createdBy" text, "idempotencyKey" text)
     CROSS JOIN LATERAL synap.stored_originals(e.id, e."createdBy", e."idempotencyKey"))
  THEN
    RAISE EXCEPTION 'one of the events is stored already' USING ERRCODE = '23505';
  END IF;
  RAISE EXCEPTION 'stream % % is at version %, expected %', aggregate_type, aggregate_id, actual,
    CASE expected WHEN -1 THEN 'stream-exists' ELSE expected::text END
    USING ERRCODE = 'SY001', DETAIL = jsonb_build_object(
      'aggregateType', aggregate_type, 'aggregateId', aggregate_id, 'actual', actual,
      'expected', CASE expected WHEN -1 THEN '"stream-exists"' ELSE to_jsonb(expected) END);
END
$function$;

REVOKE ALL ON FUNCTION synap.refuse_version(json, text, text, bigint, bigint) FROM PUBLIC;
