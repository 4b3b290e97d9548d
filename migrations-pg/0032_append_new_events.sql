-- Appends up to 1,024 events in one pass over them, taking for granted what is nearly always so: that every event is
-- new, and its stream open. Where that turns out wrong it raises, before or after it has written something, and the
-- caller, having rolled back, appends through synap.append_events, which looks at each event. docs/store.md explains
-- the two ways, and the steps, which are the same and come in the same order.
--
--   events          array of SynapEvent objects, complete (nothing is filled in here)
--   streams         array of { type, id, count, first, last }, each stream of the events once: how many events come for
--                   it, and between which timestamps
--   stream_numbers  for each event, the place of its stream in that array, from 1
--   places_within   for each event, its place among those of its stream, from 1
--
-- The caller counts because that takes it a tenth of the time that it takes here. Answers the number of the append, from
-- which the positions follow, when it was recorded, and for each stream, in the order given, the version it was at.
-- Raises SY003 for too many events, SY006 when a stream is closed, and unique_violation for an id or an idempotency key
-- that is taken, be it by an event of the same call.
CREATE FUNCTION synap.append_new_events(events json, streams json, stream_numbers integer[], places_within integer[])
RETURNS TABLE (number bigint, recorded_at timestamptz, versions_before json)
LANGUAGE plpgsql VOLATILE SECURITY INVOKER
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
  stream_types    text[];
  stream_ids      text[];
  counts          integer[];
  firsts          timestamptz[];
  lasts           timestamptz[];
  -- For each stream its place in the order of the locks, and for each of those places the version afterwards.
  ranks           bigint[];
  versions_after  bigint[];
  any_closed      boolean;
  -- For each stream, in the order given.
  versions        bigint[];
  low             bigint;
BEGIN
  IF total > 1024 THEN
    RAISE EXCEPTION 'an append holds at most 1024 events, this one has %', total USING ERRCODE = 'SY003';
  END IF;
  recorded_at := pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp());

  -- 1. Lock the streams, all of them in one order, and move their versions on.
  SELECT array_agg(s.type ORDER BY s.place), array_agg(s.id ORDER BY s.place), array_agg(s.count ORDER BY s.place),
         array_agg(s.first ORDER BY s.place), array_agg(s.last ORDER BY s.place), array_agg(s.rank ORDER BY s.place)
    INTO stream_types, stream_ids, counts, firsts, lasts, ranks
    FROM (
      SELECT x.*, row_number() OVER (ORDER BY x.type COLLATE "C", x.id COLLATE "C") AS rank
        FROM ROWS FROM (
               json_to_recordset(streams) AS (
                 type text, id text, count integer, first timestamptz(3), last timestamptz(3)
               )
             ) WITH ORDINALITY AS x(type, id, count, first, last, place)
    ) AS s;

  WITH touched AS (
    INSERT INTO synap.streams AS s (aggregate_type, aggregate_id, version, first_timestamp, last_timestamp)
    SELECT u.type COLLATE "C", u.id COLLATE "C", u.count, u.first, u.last
      FROM unnest(stream_types, stream_ids, counts, firsts, lasts) AS u(type, id, count, first, last)
     ORDER BY 1, 2
    ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET
      version = s.version + EXCLUDED.version,
      first_timestamp = least(s.first_timestamp, EXCLUDED.first_timestamp),
      last_timestamp = greatest(s.last_timestamp, EXCLUDED.last_timestamp)
    RETURNING s.aggregate_type, s.aggregate_id, s.version, s.closed_at
  )
  SELECT array_agg(t.version ORDER BY t.aggregate_type, t.aggregate_id), bool_or(t.closed_at IS NOT NULL)
    INTO versions_after, any_closed
    FROM touched AS t;
  IF any_closed THEN
    RAISE EXCEPTION 'one of the streams is closed' USING ERRCODE = 'SY006';
  END IF;

  SELECT array_agg(versions_after[u.rank] - u.count ORDER BY u.place)
    INTO versions
    FROM unnest(ranks, counts) WITH ORDINALITY AS u(rank, count, place);

  -- 4. Take the number: the three statements that the readers' watermark rests on, in this order.
  SELECT least(s.last_value, nullif(pg_catalog.current_setting('synap.append_low', true), '')::bigint)
    INTO low
    FROM synap.append_sequence AS s;
  PERFORM pg_catalog.pg_advisory_xact_lock_shared((83::bigint << 56) | low);
  PERFORM pg_catalog.set_config('synap.append_low', low::text, true);
  number := pg_catalog.nextval('synap.append_sequence');

  -- 5. and 6. The events, and from what was stored of them their identities, sorted, so that two transactions never
  --    wait for each other. One that is taken fails the unique index, which costs half of what ON CONFLICT does.
  WITH stored AS (
    INSERT INTO synap.events AS s (
      "position", stream_version, "timestamp", recorded_at, valid_from, valid_to, id, causation_id, version, type,
      aggregate_type, aggregate_id, user_id, created_by, source, request_id, correlation_id, idempotency_key, data, metadata
    )
    SELECT append_new_events.number * 1024 + e.place - 1, versions[e.stream_number] + e.place_within, e."timestamp",
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
  SELECT append_new_events.number, append_new_events.number * 1024 + total - 1, total, min(u.first), max(u.last),
         append_new_events.recorded_at
    FROM unnest(firsts, lasts) AS u(first, last);

  -- 8. Wake the readers once this is committed.
  PERFORM pg_catalog.pg_notify('synap_appends', '');

  versions_before := pg_catalog.array_to_json(versions);
  RETURN NEXT;
END
$function$;
