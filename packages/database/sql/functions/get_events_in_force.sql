-- Returns the events that are in force: as known at a moment (default: all that is recorded), about another (default: whenever they hold), in
-- the order of validity. Of an event and its corrections it is the last correction that was recorded by then; of one that was retracted, none.
-- At most "max_events", fewer when they are large, as in get_aggregate_events. A null argument counts as omitted. Without a type, an aggregate
-- or a moment of validity it reads the whole log. VOLATILE, as get_aggregate_events.
CREATE OR REPLACE FUNCTION synap.get_events_in_force(
  known_at       timestamptz DEFAULT NULL,
  valid_at       timestamptz DEFAULT NULL,
  type           text        DEFAULT NULL,
  aggregate_type text        DEFAULT NULL,
  aggregate_id   text        DEFAULT NULL,
  max_events     integer     DEFAULT 1000
) RETURNS SETOF synap.event_stream
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
  archived synap.archived_chunks;
BEGIN
  IF max_events NOT BETWEEN 1 AND 10000 THEN
    RAISE EXCEPTION 'max_events must be a number from 1 to 10000' USING ERRCODE = '22023';
  END IF;
  archived := synap.archived_before(9223372036854775807, ARRAY[
    synap.archive_key('type', type), synap.archive_key('aggregate', aggregate_type),
    synap.archive_key('stream', aggregate_type || '/' || aggregate_id)]);
  IF archived.chunk IS NOT NULL THEN
    PERFORM synap.refuse_archived(archived);
  END IF;
  -- EXECUTE plans with these values: a condition that is not asked for costs nothing.
  RETURN QUERY EXECUTE $query$
    SELECT (page.e).*
      FROM (
        SELECT found.e, found.begins, found.place,
               synap.printed_bytes((found.e).data, (found.e).metadata, 4194304) OVER (
                 ORDER BY found.begins, found.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
               ) AS bytes_before
          FROM (
            SELECT e, coalesce(e.valid_from, e."timestamp") AS begins, coalesce(own.amended_position, e."position") AS place
              FROM synap.event_rows AS e
              LEFT JOIN synap.amendments AS own ON own.amending_id = e.id
             WHERE ($1 IS NULL OR e.recorded_at <= $1)
               AND ($2 IS NULL OR (coalesce(e.valid_from, e."timestamp") <= $2 AND (e.valid_to IS NULL OR $2 < e.valid_to)))
               AND ($3 IS NULL OR e.type = $3)
               AND ($4 IS NULL OR e.aggregate_type = $4)
               AND ($5 IS NULL OR e.aggregate_id = $5)
               AND own.kind IS DISTINCT FROM 'retraction'
               AND NOT EXISTS (
                 SELECT FROM synap.amendments AS later
                  WHERE later.amended_id = coalesce(own.amended_id, e.id)
                    AND (own.amending_id IS NULL OR later."position" > own."position")
                    AND ($1 IS NULL OR later.recorded_at <= $1))
             ORDER BY 2, 3
             LIMIT $6
          ) AS found
      ) AS page
     WHERE coalesce(page.bytes_before, 0) < 4194304
     ORDER BY page.begins, page.place
  $query$ USING known_at, valid_at, type, aggregate_type, aggregate_id, max_events;
END
$$;

COMMENT ON FUNCTION synap.get_events_in_force IS 'Returns the events in force, as known at a moment, about another, in the order of validity.';

SELECT synap.grant_to_sql_writers('EXECUTE', 'FUNCTION synap.get_events_in_force');
