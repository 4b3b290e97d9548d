-- Returns the events after a position, in the order of positions: none skipped, none repeated. Continue after the last row's
-- position; no rows means that nothing more is safe to read yet. Pages of large events are smaller, as in
-- get_aggregate_events. LISTEN synap_appends for notifications of new events.
CREATE OR REPLACE FUNCTION synap.get_events(after_position bigint DEFAULT 0, max_events integer DEFAULT 1000)
RETURNS SETOF synap.event_stream
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  next record;
BEGIN
  IF max_events NOT BETWEEN 1 AND 10000 THEN
    RAISE EXCEPTION 'max_events must be a number from 1 to 10000' USING ERRCODE = '22023';
  END IF;
  SELECT * INTO next FROM synap.next_appends(after_position, max_events);
  IF next.up_to IS NULL THEN
    RETURN;
  END IF;
  -- Bounded as in get_aggregate_events.
  RETURN QUERY EXECUTE $query$
    SELECT (page.e).*
      FROM (
        SELECT e, synap.printed_bytes(e.data, e.metadata, 4194304) OVER (
                    ORDER BY e."position" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                  ) AS bytes_before
          FROM (
            SELECT * FROM synap.event_rows
             WHERE "position" > $1 AND "position" <= $2 AND "timestamp" BETWEEN $3 AND $4
             ORDER BY "position"
             LIMIT $5
          ) AS e
      ) AS page
     WHERE coalesce(page.bytes_before, 0) < 4194304
     ORDER BY (page.e)."position"
  $query$ USING after_position, next.up_to, next.min_timestamp, next.max_timestamp, max_events;
END
$$;

COMMENT ON FUNCTION synap.get_events IS 'Returns the events after a position, in order, as far as it is safe to read.';

SELECT synap.grant_to_sql_writers('EXECUTE', 'FUNCTION synap.get_events');
