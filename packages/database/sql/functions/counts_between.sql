-- Counts the committed events after a position, up to another one, by day, event type and kind of actor. The append log has
-- their time bounds, with which the events are planned.
CREATE OR REPLACE FUNCTION synap.counts_between(after_position bigint, up_to bigint)
RETURNS TABLE (
  day date, event_type text, actor_kind text, events bigint, with_user bigint, with_correlation bigint,
  first_position bigint, last_position bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
  first_time timestamptz;
  last_time  timestamptz;
BEGIN
  SELECT min(a.min_timestamp), max(a.max_timestamp) INTO first_time, last_time
    FROM synap.appends AS a
   WHERE a.number >= after_position >> 10 AND a.number <= up_to >> 10 AND a.last_position > after_position;
  IF first_time IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY EXECUTE $query$
    SELECT (e."timestamp" AT TIME ZONE 'UTC')::date, e.type, split_part(e.created_by, ':', 1) COLLATE "C",
           count(*), count(e.user_id), count(e.correlation_id), min(e."position"), max(e."position")
      FROM synap.events AS e
     WHERE e."position" > $1 AND e."position" <= $2 AND e."timestamp" BETWEEN $3 AND $4
     GROUP BY 1, 2, 3
  $query$ USING after_position, up_to, first_time, last_time;
END
$$;

-- A reader of the view needs the right as well: PostgreSQL checks it for the reader, not for the owner of the view.
REVOKE ALL ON FUNCTION synap.counts_between(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.counts_between(bigint, bigint) TO synap_app;
