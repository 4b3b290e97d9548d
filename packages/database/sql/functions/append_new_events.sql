-- Appends up to 1,024 events, all or nothing. Every event must be new and its stream
-- open. If an event is already stored it raises; the caller rolls back, looks up the stored event with synap.find_originals
-- and appends the others. docs/insides/store.md explains the steps.
--
--   events           array of complete SynapEvent objects
--   stream_types     ... and stream_ids: the distinct streams of the events, in byte order of their names, and streams
--                    that are only compared with their expected version
--   counts           the number of events of each stream
--   first_ms         ... and last_ms: the first and last timestamp of each stream's events, in milliseconds since 1970
--   stream_numbers   the index of each event's stream, from 1
--   ordinals_within  the index of each event among those of its stream, from 1
--   owner_users      ... and owner_creators: the user, or null, and the actor of each stream's first event here, which own
--                    the stream if it is new
--   expected         the expected version of each stream; -1: any except 0; null: any. Null as a whole: any for all.
--
-- The caller sorts and counts, ten times faster than SQL would. Lists of plain values are arrays because they are parsed
-- twice as fast as JSON. Returns the number of the append, from which the positions follow, the time at which it was
-- recorded, and the version that each stream had before.
--
-- Counts, bounds, indexes and owners are verified against the events, because readers rely on them and a caller could pass
-- others.
--
-- Raises SY003 for too many events; SY012 when these don't match the events; SY006 when a stream is
-- closed; unique_violation for an id or an idempotency key that is taken, also within the call; SY001 when a stream is at
-- another version and no event is stored already (detail: JSON with aggregateType, aggregateId, expected and actual), so
-- that a version conflict is decided in one call.
--
-- Raises SY013 in place of SY001 and SY006 if names_all is set. Its detail is a JSON array with an entry for each stream that is
-- closed or at another version: [type, id, version, whether it is closed, whether one of its events is stored already].
--
-- Runs as the owner, because the application role has no right to write to the tables of the log. It takes only values, and
-- resolves no name where a caller could have created an object (docs/insides/store.md).
CREATE OR REPLACE FUNCTION synap.append_new_events(
  events          json,
  stream_types    text[],
  stream_ids      text[],
  counts          integer[],
  first_ms        bigint[],
  last_ms         bigint[],
  stream_numbers  integer[],
  ordinals_within integer[],
  owner_users     text[],
  owner_creators  text[],
  names_all       boolean  DEFAULT false,
  expected        bigint[] DEFAULT NULL
) RETURNS TABLE (number bigint, recorded_at timestamptz, versions_before json)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Plans are made once per session, perhaps while the tables are empty, and must still be right when they have grown: these
-- settings force index lookups from the events of the call into the tables.
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
  mismatch        record;
  is_mismatch     boolean := false;
  unmet           json;
  inserted        integer;
  firsts          timestamptz[];
  lasts           timestamptz[];
BEGIN
  IF total > 1024 THEN
    RAISE EXCEPTION 'an append holds at most 1024 events, this one has %', total USING ERRCODE = 'SY003';
  END IF;
  IF total = 0 OR 0 > ANY (counts) OR total <> (SELECT sum(u.count) FROM unnest(counts) AS u(count)) OR EXISTS (
    SELECT FROM (
      SELECT u.number, u.within, row_number() OVER (PARTITION BY u.number ORDER BY u.ordinal) AS nth
        FROM unnest(stream_numbers, ordinals_within) WITH ORDINALITY AS u(number, within, ordinal)
    ) AS w
    WHERE w.within IS DISTINCT FROM w.nth OR w.nth > coalesce(counts[w.number], 0))
  THEN
    RAISE EXCEPTION 'the counts and indexes do not match the events' USING ERRCODE = 'SY012';
  END IF;
  -- Rounded, because far from 1970 a float8 of seconds is some microseconds off.
  SELECT array_agg(to_timestamp(u.first_ms / 1000::float8)::timestamptz(3) ORDER BY u.ordinal),
         array_agg(to_timestamp(u.last_ms / 1000::float8)::timestamptz(3) ORDER BY u.ordinal)
    INTO firsts, lasts
    FROM unnest(first_ms, last_ms) WITH ORDINALITY AS u(first_ms, last_ms, ordinal);
  recorded_at := pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp());

  -- 1. Lock the streams, in their order, and advance their versions.
  IF synap.create_streams(stream_types, stream_ids, counts, firsts, lasts, owner_users, owner_creators) THEN
    versions_after := counts;
    any_closed := false;
  ELSE
    WITH touched AS (
      INSERT INTO synap.streams AS s (
        aggregate_type, aggregate_id, version, first_timestamp, last_timestamp, user_id, created_by
      )
      SELECT u.type COLLATE "C", u.id COLLATE "C", u.count, coalesce(u.first, 'infinity'), coalesce(u.last, '-infinity'),
             u.user_id, u.created_by
        FROM unnest(stream_types, stream_ids, counts, firsts, lasts, owner_users, owner_creators)
             AS u(type, id, count, first, last, user_id, created_by)
      ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET
        version = s.version + EXCLUDED.version,
        first_timestamp = least(s.first_timestamp, EXCLUDED.first_timestamp),
        last_timestamp = greatest(s.last_timestamp, EXCLUDED.last_timestamp)
      RETURNING s.aggregate_id, s.version, s.closed_at
    )
    SELECT array_agg(t.aggregate_id), array_agg(t.version), bool_or(t.closed_at IS NOT NULL)
      INTO touched_ids, versions_after, any_closed
      FROM touched AS t;
    -- PostgreSQL returns the rows in the order of its input, but doesn't guarantee it.
    IF touched_ids COLLATE "C" <> stream_ids COLLATE "C" THEN
      RAISE EXCEPTION 'the streams were returned in another order' USING ERRCODE = 'XX000';
    END IF;
  END IF;

  -- 2. Compare with the expected versions.
  IF expected IS NOT NULL THEN
    SELECT u.type, u.id, u.expected, u.version - u.count AS actual INTO mismatch
      FROM unnest(stream_types, stream_ids, versions_after, counts, expected)
           WITH ORDINALITY AS u(type, id, version, count, expected, ordinal)
     WHERE CASE u.expected WHEN -1 THEN u.version = u.count ELSE u.version - u.count <> u.expected END
     ORDER BY u.ordinal
     LIMIT 1;
    is_mismatch := FOUND;
  END IF;
  IF names_all AND (any_closed OR is_mismatch) THEN
    SELECT json_agg(json_build_array(u.type, u.id, u.version - u.count, s.closed_at IS NOT NULL, EXISTS (
             SELECT FROM unnest(stream_numbers) WITH ORDINALITY AS n(number, ordinal)
              CROSS JOIN LATERAL (SELECT events -> (n.ordinal - 1)::integer AS event) AS e
              CROSS JOIN LATERAL synap.stored_originals(
                (e.event ->> 'id')::uuid, e.event ->> 'createdBy', e.event ->> 'idempotencyKey')
              WHERE n.number = u.ordinal)) ORDER BY u.ordinal)
      INTO unmet
      FROM unnest(stream_types, stream_ids, versions_after, counts, expected)
           WITH ORDINALITY AS u(type, id, version, count, expected, ordinal)
      JOIN synap.streams AS s ON s.aggregate_type = u.type AND s.aggregate_id = u.id
     WHERE s.closed_at IS NOT NULL
        OR CASE u.expected WHEN -1 THEN u.version = u.count ELSE u.version - u.count <> u.expected END;
    RAISE EXCEPTION 'not every stream is open and at its expected version' USING ERRCODE = 'SY013', DETAIL = unmet;
  END IF;
  -- A closed stream may still be compared with its version.
  IF any_closed AND EXISTS (
    SELECT FROM unnest(stream_types, stream_ids, counts) AS u(type, id, count)
      JOIN synap.streams AS s ON s.aggregate_type = u.type AND s.aggregate_id = u.id
     WHERE u.count > 0 AND s.closed_at IS NOT NULL)
  THEN
    RAISE EXCEPTION 'one of the streams is closed' USING ERRCODE = 'SY006';
  END IF;

  IF is_mismatch THEN
    PERFORM synap.refuse_version(events, mismatch.type, mismatch.id, mismatch.actual, mismatch.expected);
  END IF;

  -- A stream that was only compared must not exist afterwards.
  IF expected IS NOT NULL AND 0 = ANY (counts) THEN
    DELETE FROM synap.streams AS s
     USING unnest(stream_types, stream_ids, counts) AS u(type, id, count)
     WHERE u.count = 0 AND s.aggregate_type = u.type AND s.aggregate_id = u.id AND s.version = 0;
  END IF;

  -- 3. Take the number.
  number := synap.take_append_number();

  -- 4. and 5. Insert the events, and from the inserted rows their ids and keys, sorted so that two transactions can't
  --    deadlock. A taken id or key violates the unique index, which costs half of what ON CONFLICT does.
  WITH stored AS (
    INSERT INTO synap.events AS s (
      "position", stream_version, "timestamp", recorded_at, valid_from, valid_to, id, causation_id, version, type,
      aggregate_type, aggregate_id, user_id, created_by, source, request_id, correlation_id, idempotency_key, data, metadata,
      schema_version
    )
    SELECT append_new_events.number * 1024 + e.ordinal - 1, versions_after[e.stream_number] - counts[e.stream_number] + e.ordinal_within, e."timestamp",
           append_new_events.recorded_at, e."validFrom", e."validTo", e.id, e."causationId", e.version, e.type,
           e."aggregateType", e."aggregateId", e."userId", e."createdBy", e.source, e."requestId", e."correlationId",
           e."idempotencyKey", e.data, e.metadata, e."schemaVersion"
      FROM ROWS FROM (
             json_to_recordset(events) AS (
               id uuid, version text, type text, "aggregateType" text, "aggregateId" text, data jsonb, "userId" text,
               "createdBy" text, source text, "timestamp" timestamptz(3), "requestId" text, "correlationId" text,
               "causationId" uuid, "idempotencyKey" text, "validFrom" timestamptz(3), "validTo" timestamptz(3),
               metadata jsonb, "schemaVersion" integer
             ),
             unnest(stream_numbers),
             unnest(ordinals_within)
           ) WITH ORDINALITY AS e(
             id, version, type, "aggregateType", "aggregateId", data, "userId", "createdBy", source, "timestamp",
             "requestId", "correlationId", "causationId", "idempotencyKey", "validFrom", "validTo", metadata,
             "schemaVersion", stream_number, ordinal_within, ordinal
           )
     WHERE e."aggregateType" = stream_types[e.stream_number] COLLATE "C"
       AND e."aggregateId" = stream_ids[e.stream_number] COLLATE "C"
       AND e."timestamp" BETWEEN firsts[e.stream_number] AND lasts[e.stream_number]
       AND (e.ordinal_within > 1
            OR e."createdBy" = owner_creators[e.stream_number]
               AND e."userId" IS NOT DISTINCT FROM owner_users[e.stream_number])
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
  GET DIAGNOSTICS inserted = ROW_COUNT;
  IF inserted <> total THEN
    RAISE EXCEPTION 'the streams, their bounds or their owners do not match the events' USING ERRCODE = 'SY012';
  END IF;

  -- 6. Write the append log.
  INSERT INTO synap.appends (number, last_position, count, min_timestamp, max_timestamp, recorded_at)
  SELECT append_new_events.number, append_new_events.number * 1024 + total - 1, total,
         to_timestamp(min(u.first_ms) / 1000::float8), to_timestamp(max(u.last_ms) / 1000::float8),
         append_new_events.recorded_at
    FROM unnest(first_ms, last_ms) AS u(first_ms, last_ms);

  -- Nearly no append has one, and a search in the text costs less than a look at each event.
  IF strpos(events::text, '"corrects"') > 0 OR strpos(events::text, '"retracts"') > 0 THEN
    PERFORM synap.record_amendments(
      append_new_events.number,
      (SELECT to_timestamp(min(u.ms) / 1000::float8) FROM unnest(first_ms) AS u(ms)),
      (SELECT to_timestamp(max(u.ms) / 1000::float8) FROM unnest(last_ms) AS u(ms)));
  END IF;

  -- 7. The caller wakes the readers after the commit. NOTIFY here would make transactions commit one after the other,
  --    which halves the throughput of ten connections.
  versions_before := (
    SELECT json_agg(u.version - u.count ORDER BY u.ordinal)
      FROM unnest(versions_after, counts) WITH ORDINALITY AS u(version, count, ordinal)
  );
  RETURN NEXT;
END
$function$;

REVOKE ALL ON FUNCTION synap.append_new_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.append_new_events TO synap_app;
