-- Appends up to 1,024 events in one pass over them, taking for granted what is nearly always so: that every event is
-- new, and its stream open. Where that turns out wrong it raises, before or after it has written something, and the
-- caller, having rolled back, appends through synap.append_events, which looks at each event. docs/insides/store.md explains
-- the two ways, and the steps, which are the same and come in the same order.
--
--   events           array of SynapEvent objects, complete (nothing is filled in here)
--   stream_types     ... and stream_ids: the streams of the events, each once, in the order of the bytes of their names
--   counts           for each stream, how many of the events are its own
--   first_ms         ... and last_ms: between which timestamps they lie, in milliseconds since 1970
--   stream_numbers   for each event, the place of its stream among those, from 1
--   places_within    for each event, its place among those of its stream, from 1
--   expected         for each stream, the version that it must be at; -1: any but 0; null: any. Null: any for all.
--
-- The caller sorts and counts because that takes it a tenth of the time that it takes here. Lists of plain values come as
-- arrays, which are read twice as fast as JSON. Answers the number of the append, from which the positions follow, when
-- it was recorded, and the version that each stream was at.
-- Raises SY003 for too many events, SY001 when a stream is at another version, SY006 when one is closed, and
-- unique_violation for an id or an idempotency key that is taken, be it by an event of the same call.
-- Runs as the owner, as append_events does.
CREATE OR REPLACE FUNCTION synap.append_new_events(
  events         json,
  stream_types   text[],
  stream_ids     text[],
  counts         integer[],
  first_ms       bigint[],
  last_ms        bigint[],
  stream_numbers integer[],
  places_within  integer[],
  expected       bigint[] DEFAULT NULL
) RETURNS TABLE (number bigint, recorded_at timestamptz, versions_before json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- As for append_events: the plans are made once, from the events of the call to the tables.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
  total           CONSTANT integer := pg_catalog.cardinality(stream_numbers);
  touched_ids     text[];
  versions_after  bigint[];
  any_closed      boolean;
BEGIN
  IF total > 1024 THEN
    RAISE EXCEPTION 'an append holds at most 1024 events, this one has %', total USING ERRCODE = 'SY003';
  END IF;
  recorded_at := pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp());

  -- 1. Lock the streams, in their order, and move their versions on.
  WITH touched AS (
    INSERT INTO synap.streams AS s (aggregate_type, aggregate_id, version, first_timestamp, last_timestamp)
    SELECT u.type COLLATE "C", u.id COLLATE "C", u.count, to_timestamp(u.first_ms / 1000::float8),
           to_timestamp(u.last_ms / 1000::float8)
      FROM unnest(stream_types, stream_ids, counts, first_ms, last_ms) AS u(type, id, count, first_ms, last_ms)
    ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET
      version = s.version + EXCLUDED.version,
      first_timestamp = least(s.first_timestamp, EXCLUDED.first_timestamp),
      last_timestamp = greatest(s.last_timestamp, EXCLUDED.last_timestamp)
    RETURNING s.aggregate_id, s.version, s.closed_at
  )
  SELECT array_agg(t.aggregate_id), array_agg(t.version), bool_or(t.closed_at IS NOT NULL)
    INTO touched_ids, versions_after, any_closed
    FROM touched AS t;
  -- PostgreSQL returns the rows in the order in which it was given them, but doesn't promise it.
  IF touched_ids COLLATE "C" <> stream_ids COLLATE "C" THEN
    RAISE EXCEPTION 'the streams came back in another order' USING ERRCODE = 'XX000';
  END IF;
  IF any_closed THEN
    RAISE EXCEPTION 'one of the streams is closed' USING ERRCODE = 'SY006';
  END IF;

  -- 3. Compare with what the caller expects.
  IF expected IS NOT NULL AND EXISTS (
    SELECT FROM unnest(versions_after, counts, expected) AS u(version, count, expected)
     WHERE CASE u.expected WHEN -1 THEN u.version = u.count ELSE u.version - u.count <> u.expected END)
  THEN
    RAISE EXCEPTION 'one of the streams is at another version' USING ERRCODE = 'SY001';
  END IF;

  -- 4. Take the number.
  number := synap.take_append_number();

  -- 5. and 6. The events, and from what was stored of them their identities, sorted, so that two transactions never
  --    wait for each other. One that is taken fails the unique index, which costs half of what ON CONFLICT does.
  WITH stored AS (
    INSERT INTO synap.events AS s (
      "position", stream_version, "timestamp", recorded_at, valid_from, valid_to, id, causation_id, version, type,
      aggregate_type, aggregate_id, user_id, created_by, source, request_id, correlation_id, idempotency_key, data, metadata
    )
    SELECT append_new_events.number * 1024 + e.place - 1, versions_after[e.stream_number] - counts[e.stream_number] + e.place_within, e."timestamp",
           append_new_events.recorded_at, e."validFrom", e."validTo", e.id, e."causationId", e.version, e.type,
           e."aggregateType", e."aggregateId", e."userId", e."createdBy", e.source, e."requestId", e."correlationId",
           e."idempotencyKey", e.data, e.metadata
      FROM ROWS FROM (
             json_to_recordset(events) AS (
               id uuid, version text, type text, "aggregateType" text, "aggregateId" text, data jsonb, "userId" text,
               "createdBy" text, source text, "timestamp" timestamptz(3), "requestId" text, "correlationId" text,
               "causationId" uuid, "idempotencyKey" text, "validFrom" timestamptz(3), "validTo" timestamptz(3),
               metadata jsonb
             ),
             unnest(stream_numbers),
             unnest(places_within)
           ) WITH ORDINALITY AS e(
             id, version, type, "aggregateType", "aggregateId", data, "userId", "createdBy", source, "timestamp",
             "requestId", "correlationId", "causationId", "idempotencyKey", "validFrom", "validTo", metadata,
             stream_number, place_within, place
           )
    RETURNING s.id, s."timestamp", s."position", s.stream_version, s.created_by, s.idempotency_key
  ), keys AS (
    INSERT INTO synap.idempotency_keys (created_by, key, event_id, "timestamp", "position", stream_version)
    SELECT s.created_by, s.idempotency_key, s.id, s."timestamp", s."position", s.stream_version
      FROM stored AS s
     WHERE s.idempotency_key IS NOT NULL
     ORDER BY s.created_by, s.idempotency_key
  )
  INSERT INTO synap.event_ids (id, "timestamp", "position", stream_version)
  SELECT s.id, s."timestamp", s."position", s.stream_version
    FROM stored AS s
   ORDER BY s.id;

  -- 7. The append log.
  INSERT INTO synap.appends (number, last_position, count, min_timestamp, max_timestamp, recorded_at)
  SELECT append_new_events.number, append_new_events.number * 1024 + total - 1, total,
         to_timestamp(min(u.first_ms) / 1000::float8), to_timestamp(max(u.last_ms) / 1000::float8),
         append_new_events.recorded_at
    FROM unnest(first_ms, last_ms) AS u(first_ms, last_ms);

  -- 8. is left to the caller, who wakes the readers when this is committed: transactions that notify commit one after
  --    the other, which halves what ten connections get done.
  versions_before := (
    SELECT json_agg(u.version - u.count ORDER BY u.place)
      FROM unnest(versions_after, counts) WITH ORDINALITY AS u(version, count, place)
  );
  RETURN NEXT;
END
$function$;

REVOKE ALL ON FUNCTION synap.append_new_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.append_new_events TO synap_app;
