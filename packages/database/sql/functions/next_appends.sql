-- Returns the range that a reader at after_position may read next, up to the watermark, as synap.appends_up_to does. Each statement of
-- a VOLATILE function sees what was committed before it began, so the append log is read after the watermark.
CREATE OR REPLACE FUNCTION synap.next_appends(after_position bigint, max_events integer)
RETURNS TABLE (watermark bigint, up_to bigint, more boolean, min_timestamp timestamptz, max_timestamp timestamptz)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
DECLARE
  safe_number bigint := synap.append_watermark();
BEGIN
  RETURN QUERY SELECT * FROM synap.appends_up_to(safe_number, after_position, max_events);
END
$$;

REVOKE ALL ON FUNCTION synap.next_appends(bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.next_appends(bigint, integer) TO synap_app;
