-- Returns the events of a stream in order, from a version on: at most "max_events", fewer when they are large, up to the
-- event that reaches 4 MiB of JSON, and up to the first that is archived; raises SY017 if that is the first wanted one. VOLATILE, so that each
-- statement sees what was committed before it began: a chunk that is restored while this waits to look at the archive is read.
CREATE OR REPLACE FUNCTION synap.get_aggregate_events(
  aggregate_type text,
  aggregate_id   text,
  from_version   bigint  DEFAULT 1,
  max_events     integer DEFAULT 1000
) RETURNS SETOF synap.event_stream
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  stream   record;
  archived synap.archived_chunks;
  missing  bigint;
BEGIN
  SELECT s.first_timestamp, s.last_timestamp, s.version INTO stream
    FROM synap.streams AS s
   WHERE s.aggregate_type = get_aggregate_events.aggregate_type
     AND s.aggregate_id = get_aggregate_events.aggregate_id;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  archived := synap.archived_before(9223372036854775807, ARRAY[synap.archive_key('stream', aggregate_type || '/' || aggregate_id)]);
  IF archived.chunk IS NOT NULL THEN
    -- Versions have no gaps but those of purged events.
    SELECT min(v.version) INTO missing
      FROM generate_series(greatest(from_version, 1), least(stream.version, from_version + max_events - 1)) AS v(version)
     WHERE NOT EXISTS (
             SELECT FROM synap.events AS e
              WHERE e.aggregate_type = get_aggregate_events.aggregate_type AND e.aggregate_id = get_aggregate_events.aggregate_id
                AND e.stream_version = v.version)
       AND NOT EXISTS (
             SELECT FROM synap.purged_events AS p
              WHERE p.aggregate_type = get_aggregate_events.aggregate_type AND p.aggregate_id = get_aggregate_events.aggregate_id
                AND p.stream_version = v.version);
    IF missing <= greatest(from_version, 1) THEN
      PERFORM synap.refuse_archived(archived);
    END IF;
    max_events := coalesce(missing - greatest(from_version, 1), max_events);
  END IF;
  -- EXECUTE plans with these values, so that only the chunks between the two times are read.
  RETURN QUERY EXECUTE $query$
    SELECT (page.e).*
      FROM (
        SELECT e, synap.printed_bytes(e.data, e.metadata, 4194304) OVER (
                    ORDER BY e.stream_version ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                  ) AS bytes_before
          FROM (
            SELECT * FROM synap.event_rows
             WHERE aggregate_type = $1 AND aggregate_id = $2 AND stream_version >= $3
               AND "timestamp" BETWEEN $4 AND $5
             ORDER BY stream_version
             LIMIT $6
          ) AS e
      ) AS page
     WHERE coalesce(page.bytes_before, 0) < 4194304
     ORDER BY (page.e).stream_version
  $query$ USING aggregate_type, aggregate_id, from_version, stream.first_timestamp, stream.last_timestamp, max_events;
END
$$;

COMMENT ON FUNCTION synap.get_aggregate_events IS 'Returns the events of a stream in order, from a version on.';

SELECT synap.grant_to_sql_writers('EXECUTE', 'FUNCTION synap.get_aggregate_events');
