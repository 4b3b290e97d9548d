-- Finds the stored events that these repeat, by id or else by the creator's idempotency key, and the current state of the
-- streams. Nothing is locked: a stored event stays stored, and a closed stream stays closed.
--
--   events        array of SynapEvent objects
--   stream_types  ... and stream_ids: the streams
--
-- Returns "originals", an array of { index (from 0), id, position, streamVersion, isById, hasSameContent, aggregateType,
-- aggregateId, userId, createdBy }, and "streams", [version, is closed] for each stream. The content is what contentOf compares in
-- src/append/judge-events.ts: type and version, stream, user, creator, valid time and data. Timestamp, source and request context are
-- not compared, because they have other defaults in a repeated request. Events with one idempotency key may each name the
-- stream of their own id, which is the default. What repeats a purged event is taken for the same: there is nothing left to compare.
CREATE OR REPLACE FUNCTION synap.find_originals(events jsonb, stream_types text[], stream_ids text[])
RETURNS TABLE (originals json, streams json)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- As in append_new_events. LATERAL (... OFFSET 0) fixes the join order, from the events of the call into the tables.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
  -- One element per event; null for new events.
  original_ids    uuid[];
  timestamps      timestamptz[];
  positions       bigint[];
  stream_versions bigint[];
  first_time      timestamptz;
  last_time       timestamptz;
BEGIN
  SELECT array_agg(coalesce(i.id, k.event_id, p.id) ORDER BY e.ordinal),
         array_agg(coalesce(i."timestamp", k."timestamp") ORDER BY e.ordinal),
         array_agg(coalesce(i."position", k."position", p."position") ORDER BY e.ordinal),
         array_agg(coalesce(i.stream_version, k.stream_version, p.stream_version) ORDER BY e.ordinal),
         min(coalesce(i."timestamp", k."timestamp")), max(coalesce(i."timestamp", k."timestamp"))
    INTO original_ids, timestamps, positions, stream_versions, first_time, last_time
    FROM ROWS FROM (jsonb_to_recordset(events) AS (id uuid, "createdBy" text, "idempotencyKey" text))
         WITH ORDINALITY AS e(id, created_by, key, ordinal)
    LEFT JOIN LATERAL (SELECT * FROM synap.event_ids AS i WHERE i.id = e.id OFFSET 0) AS i ON true
    LEFT JOIN LATERAL (
      SELECT * FROM synap.idempotency_keys AS k WHERE k.created_by = e.created_by AND k.key = e.key OFFSET 0
    ) AS k ON i.id IS NULL
    LEFT JOIN LATERAL (
      SELECT e.id, p."position", p.stream_version FROM synap.purged_events AS p WHERE p.id_hash = synap.purged_id_hash(e.id)
      UNION ALL
      SELECT e.id, p."position", p.stream_version
        FROM synap.purged_events AS p
       WHERE p.key_hash = synap.purged_key_hash(e.created_by, e.key)
       LIMIT 1
    ) AS p ON i.id IS NULL AND k.event_id IS NULL;

  -- The stored events are read with their exact times. EXECUTE plans with these values, so that only their chunks are
  -- touched.
  IF pg_catalog.cardinality(pg_catalog.array_remove(original_ids, NULL)) > 0 THEN
    EXECUTE $query$
      SELECT json_agg(json_build_object(
               'index', e.ordinal - 1, 'id', e.original_id, 'position', e."position", 'streamVersion', e.stream_version,
               'isById', e.original_id = e.id, 'aggregateType', s.aggregate_type, 'aggregateId', s.aggregate_id,
               'userId', s.user_id, 'createdBy', s.created_by,
               'hasSameContent', s.id IS NULL
                 OR (s.type, s.schema_version, s.aggregate_type, s.user_id, s.created_by, s.valid_from, s.valid_to, s.data)
                    IS NOT DISTINCT FROM
                    (e.type, e.schema_version, e.aggregate_type, e.user_id, e.created_by, e.valid_from, e.valid_to, e.data)
                    AND (s.aggregate_id = e.aggregate_id OR s.aggregate_id = s.id::text AND e.aggregate_id = e.id::text)))
        FROM (
          SELECT *
            FROM ROWS FROM (
                   jsonb_to_recordset($1) AS (
                     id uuid, type text, "aggregateType" text, "aggregateId" text, "userId" text, "createdBy" text,
                     "validFrom" timestamptz(3), "validTo" timestamptz(3), data jsonb, "schemaVersion" integer),
                   unnest($2), unnest($3), unnest($4), unnest($5)
                 ) WITH ORDINALITY AS e(
                   id, type, aggregate_type, aggregate_id, user_id, created_by, valid_from, valid_to, data, schema_version, original_id,
                   "timestamp", "position", stream_version, ordinal
                 )
           WHERE e.original_id IS NOT NULL
          OFFSET 0
        ) AS e
        LEFT JOIN LATERAL (
          SELECT s.id, s.type, s.schema_version, s.aggregate_type, s.aggregate_id, s.user_id, s.created_by, s.valid_from, s.valid_to,
                 s.data
            FROM synap.events AS s
           WHERE s."timestamp" = e."timestamp" AND s."position" = e."position" AND s."timestamp" BETWEEN $6 AND $7
          OFFSET 0
        ) AS s ON true
    $query$
      INTO originals
      USING events, original_ids, timestamps, positions, stream_versions, first_time, last_time;
  END IF;

  streams := (
    SELECT json_agg(json_build_array(coalesce(s.version, 0), s.closed_at IS NOT NULL) ORDER BY u.ordinal)
      FROM unnest(stream_types, stream_ids) WITH ORDINALITY AS u(type, id, ordinal)
      LEFT JOIN LATERAL (
        SELECT s.version, s.closed_at
          FROM synap.streams AS s
         WHERE s.aggregate_type = u.type AND s.aggregate_id = u.id
        OFFSET 0
      ) AS s ON true
  );
  RETURN NEXT;
END
$function$;

REVOKE ALL ON FUNCTION synap.find_originals(jsonb, text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.find_originals(jsonb, text[], text[]) TO synap_app;
