-- Counts the committed events after a position, up to another one, for each day in three ways: by event type and kind of actor,
-- by source, and by creator. The columns of the other two are null. The append log has the events' time bounds, with which they
-- are planned.
CREATE OR REPLACE FUNCTION synap.figures_between(after_position bigint, up_to bigint)
RETURNS TABLE (
  day date, event_type text, actor_kind text, source text, creator text, events bigint, with_user bigint,
  with_correlation bigint, first_position bigint, last_position bigint
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
    SELECT e.day, e.type, e.actor_kind, e.source, e.created_by, count(*), count(e.user_id), count(e.correlation_id),
           min(e."position"), max(e."position")
      FROM (
        SELECT (n."timestamp" AT TIME ZONE 'UTC')::date AS day, n.type,
               split_part(n.created_by, ':', 1) COLLATE "C" AS actor_kind, n.source, n.created_by, n.user_id,
               n.correlation_id, n."position"
          FROM synap.events AS n
         WHERE n."position" > $1 AND n."position" <= $2 AND n."timestamp" BETWEEN $3 AND $4
      ) AS e
     GROUP BY GROUPING SETS ((e.day, e.type, e.actor_kind), (e.day, e.source), (e.day, e.created_by))
  $query$ USING after_position, up_to, first_time, last_time;
END
$$;

-- A reader of the view needs the right as well: PostgreSQL checks it for the reader, not for the owner of the view.
REVOKE ALL ON FUNCTION synap.figures_between(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.figures_between(bigint, bigint) TO synap_app;
