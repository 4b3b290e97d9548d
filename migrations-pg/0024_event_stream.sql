-- The events for people: columns in the order in which one reads them, newest first, so that
-- SELECT * FROM synap.event_stream LIMIT 20 shows what has just happened. Give a time range when you look further back.
-- Not for following the log: positions become visible out of order, and get_events knows how far it is safe to read.
CREATE VIEW synap.event_stream AS
SELECT e."position", e."timestamp", e.type, e.aggregate_type, e.aggregate_id, e.stream_version, e.created_by, e.data,
       e.user_id, e.correlation_id, e.causation_id, e.id, e.source, e.idempotency_key, e.request_id, e.valid_from,
       e.valid_to, e.recorded_at, e.metadata
  FROM synap.events AS e
 ORDER BY e."timestamp" DESC, e."position" DESC;

SELECT synap.grant_to_sql_writers('SELECT', 'TABLE synap.event_stream');

-- The events of one stream in order, from a version on: at most "max_events", and fewer when they are large, up to the
-- event that reaches 4 MiB of JSON.
CREATE FUNCTION synap.get_aggregate_events(
  aggregate_type text,
  aggregate_id   text,
  from_version   bigint  DEFAULT 1,
  max_events     integer DEFAULT 1000
) RETURNS SETOF synap.event_stream
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  stream record;
BEGIN
  SELECT s.first_timestamp, s.last_timestamp INTO stream
    FROM synap.streams AS s
   WHERE s.aggregate_type = get_aggregate_events.aggregate_type
     AND s.aggregate_id = get_aggregate_events.aggregate_id;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  -- Planned with its values known, so that only the chunks between the two times are looked at.
  RETURN QUERY EXECUTE $query$
    SELECT e."position", e."timestamp", e.type, e.aggregate_type, e.aggregate_id, e.stream_version, e.created_by, e.data,
           e.user_id, e.correlation_id, e.causation_id, e.id, e.source, e.idempotency_key, e.request_id, e.valid_from,
           e.valid_to, e.recorded_at, e.metadata
      FROM (
        SELECT *, synap.printed_bytes(data, metadata, 4194304) OVER (
                    ORDER BY stream_version ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                  ) AS bytes_before
          FROM (
            SELECT * FROM synap.events
             WHERE aggregate_type = $1 AND aggregate_id = $2 AND stream_version >= $3
               AND "timestamp" BETWEEN $4 AND $5
             ORDER BY stream_version
             LIMIT $6
          ) AS page
      ) AS e
     WHERE coalesce(e.bytes_before, 0) < 4194304
     ORDER BY e.stream_version
  $query$ USING aggregate_type, aggregate_id, from_version, stream.first_timestamp, stream.last_timestamp, max_events;
END
$$;

COMMENT ON FUNCTION synap.get_aggregate_events IS 'The events of one stream in order, from a version on.';

-- The events after a position, in the order of positions: none skipped, none repeated. Go on from the last row's
-- position; no rows means that nothing more is safe to read yet. Large events come fewer at a time, as above.
-- LISTEN synap_appends tells when to look again.
CREATE FUNCTION synap.get_events(after_position bigint DEFAULT 0, max_events integer DEFAULT 1000)
RETURNS SETOF synap.event_stream
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
  next record;
BEGIN
  IF max_events NOT BETWEEN 1 AND 10000 THEN
    RAISE EXCEPTION 'max_events is a number from 1 to 10000' USING ERRCODE = '22023';
  END IF;
  SELECT * INTO next FROM synap.next_appends(after_position, max_events);
  IF next.up_to IS NULL THEN
    RETURN;
  END IF;
  -- Bounded as above.
  RETURN QUERY EXECUTE $query$
    SELECT e."position", e."timestamp", e.type, e.aggregate_type, e.aggregate_id, e.stream_version, e.created_by, e.data,
           e.user_id, e.correlation_id, e.causation_id, e.id, e.source, e.idempotency_key, e.request_id, e.valid_from,
           e.valid_to, e.recorded_at, e.metadata
      FROM (
        SELECT *, synap.printed_bytes(data, metadata, 4194304) OVER (
                    ORDER BY "position" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                  ) AS bytes_before
          FROM (
            SELECT * FROM synap.events
             WHERE "position" > $1 AND "position" <= $2 AND "timestamp" BETWEEN $3 AND $4
             ORDER BY "position"
             LIMIT $5
          ) AS page
      ) AS e
     WHERE coalesce(e.bytes_before, 0) < 4194304
     ORDER BY e."position"
  $query$ USING after_position, next.up_to, next.min_timestamp, next.max_timestamp, max_events;
END
$$;

COMMENT ON FUNCTION synap.get_events IS 'The events after a position, in order, as far as it is safe to read.';

SELECT synap.grant_to_sql_writers('EXECUTE', 'FUNCTION synap.get_aggregate_events');
SELECT synap.grant_to_sql_writers('EXECUTE', 'FUNCTION synap.get_events');
