-- Returns the range that a reader at after_position may read next, if every append up to safe_number is finished: the following appends,
-- up to max_events events, with their time bounds. Always one row. It ends before archived events; raises SY017 if these are the next, and
-- SY016 for a position that the store has never had.
CREATE OR REPLACE FUNCTION synap.appends_up_to(safe_number bigint, after_position bigint, max_events integer)
RETURNS TABLE (watermark bigint, up_to bigint, more boolean, min_timestamp timestamptz, max_timestamp timestamptz)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  last_number bigint;
  readable    bigint;
BEGIN
  watermark := safe_number * 1024 + 1023;
  IF after_position > watermark OR EXISTS (
    SELECT FROM synap.epochs AS e WHERE after_position >> 10 > e.last_before AND after_position >> 10 < e.first_number)
  THEN
    PERFORM synap.check_position(after_position);
  END IF;

  SELECT max(w.number), max(w.last_position), min(w.min_timestamp), max(w.max_timestamp)
    INTO last_number, up_to, min_timestamp, max_timestamp
    FROM (
      SELECT a.*, sum(a.count) OVER (ORDER BY a.number) - a.count AS events_before
        FROM (
          SELECT * FROM synap.appends
           WHERE number >= after_position >> 10 AND number <= safe_number AND last_position > after_position
           ORDER BY number
           LIMIT max_events
        ) AS a
    ) AS w
   WHERE w.events_before < max_events;

  more := last_number IS NOT NULL
    AND EXISTS (SELECT FROM synap.appends WHERE number > last_number AND number <= safe_number);
  IF up_to IS NOT NULL THEN
    readable := synap.before_archived(after_position, up_to);
    IF readable < up_to THEN
      up_to := readable;
      more := true;
    END IF;
  END IF;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION synap.appends_up_to(bigint, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.appends_up_to(bigint, bigint, integer) TO synap_app;
