-- Appends up to 1,024 events in one round trip; the TypeScript store and the SQL functions for other languages both
-- come through here, so both give the same guarantees. docs/insides/store.md explains the steps.
--
--   events          array of SynapEvent objects, complete (nothing is filled in here)
--   expectations    array of { aggregateType, aggregateId, expected }, expected being "any", "no-stream",
--                   "stream-exists" or a version; it may name streams that the call doesn't write
--   all_or_nothing  raises where it would otherwise answer conflict or closed for an event
--
-- Answers one row for each event, in the order given. Status: stored; duplicate (id, position and stream version are
-- those of the first); conflict (the id is taken by an event with other content); closed (so is the stream).
-- Raises SY001 when an expectation fails, SY003 for too many events, 40001 when another transaction stored one of the
-- ids through another stream at the same moment: run the transaction again. With all_or_nothing also SY006 when a stream
-- is closed, and SY007 when an id is taken by an event with other content, or an idempotency key by an event of another
-- stream. The details of SY001, SY006 and SY007 are JSON.
--
-- Runs as the owner: the application role has no right to write the tables that the log rests on. All it gets are
-- values, and no name in here is looked up where a caller could have put something (docs/insides/store.md).
CREATE OR REPLACE FUNCTION synap.append_events(events jsonb, expectations jsonb DEFAULT '[]', all_or_nothing boolean DEFAULT false)
RETURNS TABLE (
  place          integer,
  status         text,
  id             uuid,
  "position"     bigint,
  stream_version bigint,
  recorded_at    timestamptz
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- Plans are made once per session, perhaps while the tables are empty, and must still be right when they have grown:
-- always from the events of the call to the tables, by index. LATERAL (... OFFSET 0) fixes that direction.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
  total           CONSTANT integer := pg_catalog.jsonb_array_length(events);
  -- One entry for each event; the two of the streams go on with one for each expectation.
  ids             uuid[];
  timestamps      timestamptz[];
  creators        text[];
  keys            text[];
  stream_types    text[];
  stream_ids      text[];
  distinct_ids    bigint;
  key_count       bigint;
  distinct_keys   bigint;
  -- For each of those entries: which of the sorted streams it belongs to, its place among the stream's new events,
  -- and how many of those there are.
  stream_numbers  bigint[];
  places_within   bigint[];
  added           bigint[];
  -- For each sorted stream: its version after the events of this call.
  versions_after  bigint[];
  any_closed      boolean;
  closed_numbers  bigint[];
  -- What becomes of each event. A null version means that it isn't stored.
  statuses        text[];
  original_ids    uuid[];
  original_places bigint[];
  positions       bigint[];
  new_versions    bigint[];
  conflicts       bigint[];
  stored_count    bigint := total;
  inserted_count  bigint;
  number          bigint;
  now_ms          timestamptz := pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp());
  expectation     record;
  met             boolean;
  refused         record;
BEGIN
  IF total > 1024 THEN
    RAISE EXCEPTION 'an append holds at most 1024 events, this one has %', total USING ERRCODE = 'SY003';
  END IF;

  SELECT array_agg(e.id ORDER BY e.place), array_agg(e."timestamp" ORDER BY e.place),
         array_agg(e."createdBy" ORDER BY e.place), array_agg(e."idempotencyKey" ORDER BY e.place),
         array_agg(e."aggregateType" ORDER BY e.place), array_agg(e."aggregateId" ORDER BY e.place)
    INTO ids, timestamps, creators, keys, stream_types, stream_ids
    FROM ROWS FROM (
           jsonb_to_recordset(events) AS (
             id uuid, "timestamp" timestamptz(3), "createdBy" text, "idempotencyKey" text, "aggregateType" text,
             "aggregateId" text
           )
         ) WITH ORDINALITY AS e(id, "timestamp", "createdBy", "idempotencyKey", "aggregateType", "aggregateId", place);

  SELECT count(DISTINCT u.id) INTO distinct_ids FROM unnest(ids) AS u(id);
  SELECT count(*), count(DISTINCT (u.created_by, u.key)) INTO key_count, distinct_keys
    FROM unnest(creators, keys) AS u(created_by, key)
   WHERE u.key IS NOT NULL;

  IF expectations <> '[]' THEN
    SELECT stream_types || array_agg(x.type ORDER BY x.place), stream_ids || array_agg(x.id ORDER BY x.place)
      INTO stream_types, stream_ids
      FROM ROWS FROM (jsonb_to_recordset(expectations) AS ("aggregateType" text, "aggregateId" text))
           WITH ORDINALITY AS x(type, id, place);
  END IF;

  -- 1. Lock the streams, all of them in one order, and move their versions on by the number of events that came for
  --    them. One statement creates what is new, waits for whoever else appends, and takes the versions.
  SELECT array_agg(s.number ORDER BY s.place), array_agg(s.within ORDER BY s.place), array_agg(s.added ORDER BY s.place)
    INTO stream_numbers, places_within, added
    FROM (
      SELECT u.place,
             dense_rank() OVER (ORDER BY u.type COLLATE "C", u.id COLLATE "C") AS number,
             row_number() OVER (PARTITION BY u.type COLLATE "C", u.id COLLATE "C" ORDER BY u.place) AS within,
             count(*) FILTER (WHERE u.place <= total) OVER (PARTITION BY u.type COLLATE "C", u.id COLLATE "C") AS added
        FROM unnest(stream_types, stream_ids) WITH ORDINALITY AS u(type, id, place)
    ) AS s;

  WITH touched AS (
    INSERT INTO synap.streams AS s (aggregate_type, aggregate_id, version, first_timestamp, last_timestamp)
    SELECT u.type COLLATE "C", u.id COLLATE "C", count(*) FILTER (WHERE u.place <= total),
           coalesce(min(u."timestamp"), 'infinity'), coalesce(max(u."timestamp"), '-infinity')
      FROM unnest(stream_types, stream_ids, timestamps) WITH ORDINALITY AS u(type, id, "timestamp", place)
     GROUP BY 1, 2
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

  SELECT array_agg(versions_after[u.number] - u.added + u.within ORDER BY u.place)
    INTO new_versions
    FROM unnest(stream_numbers[1:total], added[1:total], places_within[1:total]) WITH ORDINALITY AS u(number, added, within, place);

  -- 2. Is anything in here that should not be stored? Only now, with the streams locked, is the answer final: this
  --    statement sees what was committed while we waited. Nearly always the answer is no.
  IF distinct_ids < total
     OR any_closed
     OR distinct_keys < key_count
     OR EXISTS (SELECT FROM synap.event_ids AS k WHERE k.id = ANY (ids))
     OR (distinct_keys > 0 AND EXISTS (
          SELECT FROM unnest(creators, keys) AS u(created_by, key)
           CROSS JOIN LATERAL (
             SELECT FROM synap.idempotency_keys AS k WHERE k.created_by = u.created_by AND k.key = u.key OFFSET 0
           ) AS k))
  THEN
    SELECT array_agg(DISTINCT u.number)
      INTO closed_numbers
      FROM unnest(stream_numbers, stream_types, stream_ids) AS u(number, type, id)
     WHERE (SELECT s.closed_at IS NOT NULL FROM synap.streams AS s WHERE s.aggregate_type = u.type AND s.aggregate_id = u.id);

    -- "first_by_id" is the first event of this call with the same id, "first_by_key" the first one with the same key
    -- among those that would be stored.
    WITH known AS (
      SELECT u.*,
             min(u.place) OVER (PARTITION BY u.id) AS first_by_id,
             i."position" AS id_position, i.stream_version AS id_version,
             k.event_id AS key_event, k."position" AS key_position, k.stream_version AS key_version
        FROM unnest(ids, creators, keys, stream_numbers[1:total])
             WITH ORDINALITY AS u(id, created_by, key, stream_number, place)
        LEFT JOIN synap.event_ids AS i ON i.id = u.id
        LEFT JOIN synap.idempotency_keys AS k ON k.created_by = u.created_by AND k.key = u.key
    ), judged AS (
      SELECT known.*,
             CASE
               WHEN id_position IS NOT NULL OR key_position IS NOT NULL OR first_by_id < place THEN 'duplicate'
               WHEN stream_number = ANY (closed_numbers) THEN 'closed'
               ELSE 'stored'
             END AS verdict
        FROM known
    ), keyed AS (
      SELECT judged.*,
             CASE
               WHEN verdict <> 'stored' OR key IS NULL THEN place
               ELSE min(place) FILTER (WHERE verdict = 'stored') OVER (PARTITION BY created_by, key)
             END AS first_by_key
        FROM judged
    ), resolved AS (
      SELECT keyed.*,
             CASE
               WHEN first_by_key < place THEN 'duplicate'
               WHEN verdict = 'duplicate' AND first_value(verdict) OVER first = 'closed' THEN 'closed'
               ELSE verdict
             END AS status,
             first_value(key_event) OVER first AS first_key_event,
             first_value(key_position) OVER first AS first_key_position,
             first_value(key_version) OVER first AS first_key_version,
             first_value(first_by_key) OVER first AS original_place
        FROM keyed
      WINDOW first AS (PARTITION BY id ORDER BY place)
    )
    SELECT array_agg(r.status ORDER BY r.place),
           array_agg(CASE WHEN r.id_position IS NOT NULL THEN r.id ELSE coalesce(r.first_key_event, ids[r.original_place]) END
                     ORDER BY r.place),
           array_agg(coalesce(r.id_position, r.first_key_position) ORDER BY r.place),
           array_agg(coalesce(r.id_version, r.first_key_version) ORDER BY r.place),
           array_agg(r.original_place ORDER BY r.place),
           count(*) FILTER (WHERE r.status = 'stored')
      INTO statuses, original_ids, positions, new_versions, original_places, stored_count
      FROM resolved AS r;

    -- The same id must mean the same event. The stored one is read with its exact time, planned with the values known
    -- (hence EXECUTE), so that only its chunk is touched. The time itself is not compared: a client that sends again
    -- lets it default to another "now", and the first one stays.
    EXECUTE $query$
      SELECT array_agg(u.place)
        FROM (
          SELECT u.place, i."timestamp", i."position", $1 -> (u.place::integer - 1) AS event
            FROM unnest($2) WITH ORDINALITY AS u(id, place)
           CROSS JOIN LATERAL (
             SELECT i."timestamp", i."position" FROM synap.event_ids AS i WHERE i.id = u.id OFFSET 0
           ) AS i
          OFFSET 0
        ) AS u
       CROSS JOIN LATERAL (
         SELECT s.type, s.aggregate_type, s.aggregate_id, s.data
           FROM synap.events AS s
          WHERE s."timestamp" = u."timestamp" AND s."position" = u."position" AND s."timestamp" BETWEEN $3 AND $4
         OFFSET 0
       ) AS s
       WHERE (s.type, s.aggregate_type, s.aggregate_id, s.data)
             IS DISTINCT FROM (u.event ->> 'type', u.event ->> 'aggregateType', u.event ->> 'aggregateId', u.event -> 'data')
    $query$
      INTO conflicts
      USING events, ids,
        (SELECT min(i."timestamp") FROM synap.event_ids AS i WHERE i.id = ANY (ids)),
        (SELECT max(i."timestamp") FROM synap.event_ids AS i WHERE i.id = ANY (ids));

    SELECT array_agg(
             CASE
               WHEN u.place = ANY (conflicts) THEN 'conflict'
               WHEN u.status = 'duplicate' AND u.original_position IS NULL AND u.first_place < u.place
                    AND (e.event ->> 'type', e.event ->> 'aggregateType', e.event ->> 'aggregateId', e.event -> 'data')
                    IS DISTINCT FROM (f.event ->> 'type', f.event ->> 'aggregateType', f.event ->> 'aggregateId', f.event -> 'data')
               THEN 'conflict'
               ELSE u.status
             END ORDER BY u.place)
      INTO statuses
      FROM (
        SELECT n.*, min(n.place) OVER (PARTITION BY n.id) AS first_place
          FROM unnest(ids, statuses, positions) WITH ORDINALITY AS n(id, status, original_position, place)
      ) AS u
     CROSS JOIN LATERAL (SELECT events -> (u.place::integer - 1)) AS e(event)
     CROSS JOIN LATERAL (SELECT events -> (u.first_place::integer - 1)) AS f(event);

    -- The streams were moved on by too much: take it back, so that versions stay consecutive.
    INSERT INTO synap.streams AS s (aggregate_type, aggregate_id, version, first_timestamp, last_timestamp)
    SELECT u.type COLLATE "C", u.id COLLATE "C", -count(*), 'infinity', '-infinity'
      FROM unnest(stream_types[1:total], stream_ids[1:total], statuses) AS u(type, id, status)
     WHERE u.status <> 'stored'
     GROUP BY 1, 2
    ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE SET version = s.version + EXCLUDED.version;

    SELECT array_agg(
             CASE
               WHEN v.status = 'stored' THEN versions_after[v.number] - v.added + v.within
               WHEN v.status = 'duplicate' THEN v.original_version
             END ORDER BY v.place)
      INTO new_versions
      FROM (
        SELECT u.*, count(*) FILTER (WHERE u.status = 'stored') OVER (PARTITION BY u.number ORDER BY u.place) AS within
          FROM unnest(statuses, stream_numbers[1:total], added[1:total], new_versions)
               WITH ORDINALITY AS u(status, number, added, original_version, place)
      ) AS v;

    IF all_or_nothing THEN
      SELECT u.id, u.status, u.type, u.stream_id INTO refused
        FROM unnest(ids, statuses, stream_types[1:total], stream_ids[1:total])
             WITH ORDINALITY AS u(id, status, type, stream_id, place)
       WHERE u.status IN ('conflict', 'closed')
       ORDER BY u.status = 'conflict' DESC, u.place
       LIMIT 1;
      IF refused.status = 'conflict' THEN
        RAISE EXCEPTION 'the event id % is taken by an event with other content', refused.id
          USING ERRCODE = 'SY007', DETAIL = jsonb_build_object('id', refused.id);
      ELSIF refused.status = 'closed' THEN
        RAISE EXCEPTION 'stream % % is closed', refused.type, refused.stream_id
          USING ERRCODE = 'SY006',
                DETAIL = jsonb_build_object('aggregateType', refused.type, 'aggregateId', refused.stream_id);
      END IF;

      -- A key that an event of another stream used before: its version would be no answer to this append. The original
      -- is in this call, or stored; the stored one is read with its exact time, as above.
      IF EXISTS (SELECT FROM unnest(ids, statuses, original_ids) AS u(id, status, original_id)
                  WHERE u.status = 'duplicate' AND u.original_id <> u.id)
      THEN
        EXECUTE $query$
          SELECT u.id
            FROM (
              SELECT u.*, i."timestamp"
                FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
                     AS u(id, original_id, original_position, original_place, type, stream_id, place)
                LEFT JOIN LATERAL (
                  SELECT i."timestamp" FROM synap.event_ids AS i WHERE i.id = u.original_id OFFSET 0
                ) AS i ON true
               WHERE u.original_id <> u.id
              OFFSET 0
            ) AS u
            LEFT JOIN LATERAL (
              SELECT s.aggregate_type, s.aggregate_id
                FROM synap.events AS s
               WHERE s."timestamp" = u."timestamp" AND s."position" = u.original_position
                 AND s."timestamp" BETWEEN $7 AND $8
              OFFSET 0
            ) AS s ON true
           WHERE (coalesce(s.aggregate_type, $5[u.original_place]), coalesce(s.aggregate_id, $6[u.original_place]))
                 IS DISTINCT FROM (u.type, u.stream_id)
           ORDER BY u.place
           LIMIT 1
        $query$
          INTO refused
          USING ids, original_ids, positions, original_places, stream_types[1:total], stream_ids[1:total],
            (SELECT min(i."timestamp") FROM synap.event_ids AS i WHERE i.id = ANY (original_ids)),
            (SELECT max(i."timestamp") FROM synap.event_ids AS i WHERE i.id = ANY (original_ids));
        IF refused.id IS NOT NULL THEN
          RAISE EXCEPTION 'the idempotency key of event % was used in another stream', refused.id
            USING ERRCODE = 'SY007', DETAIL = jsonb_build_object('id', refused.id);
        END IF;
      END IF;
    END IF;
  END IF;

  -- 3. Compare with what the caller expects. A stream whose events were all stored before is not compared: sending
  --    the same append again answers what it answered the first time.
  FOR expectation IN
    SELECT x."aggregateType" AS type, x."aggregateId" AS id, x.expected,
           versions_after[stream_numbers[total + x.ordinality]] - added[total + x.ordinality] AS actual,
           stream_numbers[total + x.ordinality] AS number, added[total + x.ordinality] AS added
      FROM ROWS FROM (jsonb_to_recordset(expectations) AS ("aggregateType" text, "aggregateId" text, expected jsonb))
           WITH ORDINALITY AS x
  LOOP
    CONTINUE WHEN expectation.expected = '"any"';
    CONTINUE WHEN statuses IS NOT NULL AND expectation.added > 0 AND NOT EXISTS (
      SELECT FROM unnest(statuses, stream_numbers[1:total]) AS u(status, number)
       WHERE u.number = expectation.number AND u.status <> 'duplicate');
    met := CASE
      WHEN expectation.expected = '"no-stream"' THEN expectation.actual = 0
      WHEN expectation.expected = '"stream-exists"' THEN expectation.actual > 0
      ELSE expectation.expected = to_jsonb(expectation.actual)
    END;
    IF met IS NOT TRUE THEN
      RAISE EXCEPTION 'stream % % is at version %, expected %',
        expectation.type, expectation.id, expectation.actual, expectation.expected #>> '{}'
        USING ERRCODE = 'SY001', DETAIL = jsonb_build_object(
          'aggregateType', expectation.type, 'aggregateId', expectation.id,
          'expected', expectation.expected, 'actual', expectation.actual);
    END IF;
  END LOOP;

  -- A stream that received nothing must not look as if it existed: neither one that was only checked, nor one whose
  -- only events turned out to be stored elsewhere.
  IF statuses IS NOT NULL OR expectations <> '[]' THEN
    DELETE FROM synap.streams
     WHERE ctid = ANY (ARRAY(
       SELECT s.ctid
         FROM unnest(stream_types, stream_ids) AS u(type, id)
        CROSS JOIN LATERAL (
          SELECT s.ctid FROM synap.streams AS s
           WHERE s.aggregate_type = u.type AND s.aggregate_id = u.id AND s.version = 0
          OFFSET 0
        ) AS s));
  END IF;

  IF stored_count > 0 THEN
    -- 4. Take the number.
    number := synap.take_append_number();

    -- 5. The identities, sorted, so that two transactions never wait for each other. One that somebody else has just
    --    stored through another stream is missing from the count.
    INSERT INTO synap.event_ids (id, "timestamp", "position", stream_version)
    SELECT u.id, u."timestamp", number * 1024 + u.place - 1, u.version
      FROM unnest(ids, timestamps, new_versions, statuses) WITH ORDINALITY AS u(id, "timestamp", version, status, place)
     WHERE u.status IS NULL OR u.status = 'stored'
     ORDER BY u.id
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS inserted_count = ROW_COUNT;
    IF inserted_count < stored_count THEN
      RAISE EXCEPTION 'another transaction has just stored one of these events' USING ERRCODE = '40001';
    END IF;

    IF distinct_keys > 0 THEN
      INSERT INTO synap.idempotency_keys (created_by, key, event_id, "timestamp", "position", stream_version)
      SELECT u.created_by COLLATE "C", u.key COLLATE "C", u.id, u."timestamp", number * 1024 + u.place - 1, u.version
        FROM unnest(ids, timestamps, creators, keys, new_versions, statuses)
             WITH ORDINALITY AS u(id, "timestamp", created_by, key, version, status, place)
       WHERE u.key IS NOT NULL AND (u.status IS NULL OR u.status = 'stored')
       ORDER BY 1, 2
      ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS inserted_count = ROW_COUNT;
      IF inserted_count < (
        SELECT count(*) FROM unnest(keys, statuses) AS u(key, status)
         WHERE u.key IS NOT NULL AND (u.status IS NULL OR u.status = 'stored'))
      THEN
        RAISE EXCEPTION 'another transaction has just used one of these idempotency keys' USING ERRCODE = '40001';
      END IF;
    END IF;

    -- 6. The events.
    INSERT INTO synap.events (
      "position", stream_version, "timestamp", recorded_at, valid_from, valid_to, id, causation_id, version, type,
      aggregate_type, aggregate_id, user_id, created_by, source, request_id, correlation_id, idempotency_key, data, metadata
    )
    SELECT number * 1024 + e.place - 1, e.stream_version, e."timestamp", now_ms, e."validFrom", e."validTo", e.id,
           e."causationId", e.version, e.type, e."aggregateType", e."aggregateId", e."userId", e."createdBy", e.source,
           e."requestId", e."correlationId", e."idempotencyKey", e.data, e.metadata
      FROM ROWS FROM (
             jsonb_to_recordset(events) AS (
               id uuid, version text, type text, "aggregateType" text, "aggregateId" text, data jsonb, "userId" text,
               "createdBy" text, source text, "timestamp" timestamptz(3), "requestId" text, "correlationId" text,
               "causationId" uuid, "idempotencyKey" text, "validFrom" timestamptz(3), "validTo" timestamptz(3),
               metadata jsonb
             ),
             unnest(new_versions),
             unnest(statuses)
           ) WITH ORDINALITY AS e(
             id, version, type, "aggregateType", "aggregateId", data, "userId", "createdBy", source, "timestamp",
             "requestId", "correlationId", "causationId", "idempotencyKey", "validFrom", "validTo", metadata,
             stream_version, status, place
           )
     WHERE e.status IS NULL OR e.status = 'stored';

    -- 7. The append log.
    INSERT INTO synap.appends (number, last_position, count, min_timestamp, max_timestamp, recorded_at)
    SELECT number, number * 1024 + max(u.place) - 1, count(*), min(u."timestamp"), max(u."timestamp"), now_ms
      FROM unnest(timestamps, statuses) WITH ORDINALITY AS u("timestamp", status, place)
     WHERE u.status IS NULL OR u.status = 'stored';

    -- 8. Wake the readers once this is committed. Any login can fill the server's queue of notifications, and a full one
    --    fails the commit, too late for an exception handler. Readers also poll.
    IF pg_catalog.pg_notification_queue_usage() < 0.5 THEN
      PERFORM pg_catalog.pg_notify('synap_appends', '');
    END IF;
  END IF;

  RETURN QUERY
  SELECT u.place::integer,
         coalesce(u.status, 'stored'),
         CASE WHEN u.status = 'duplicate' THEN u.original_id ELSE u.id END,
         CASE
           WHEN coalesce(u.status, 'stored') = 'stored' THEN number * 1024 + u.place - 1
           WHEN u.status = 'duplicate' THEN coalesce(u.original_position, number * 1024 + u.original_place - 1)
         END,
         CASE
           WHEN u.status = 'duplicate' AND u.original_position IS NULL THEN new_versions[u.original_place]
           ELSE u.version
         END,
         CASE WHEN coalesce(u.status, 'stored') = 'stored' THEN now_ms END
    FROM unnest(ids, statuses, original_ids, positions, new_versions, original_places)
         WITH ORDINALITY AS u(id, status, original_id, original_position, version, original_place, place)
   ORDER BY u.place;
END
$function$;

REVOKE ALL ON FUNCTION synap.append_events(jsonb, jsonb, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.append_events(jsonb, jsonb, boolean) TO synap_app;
