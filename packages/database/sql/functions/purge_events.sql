-- Removes events, and the copies of them that the schema synap has: ids and keys, dead letters, parked events, failures, snapshots of their
-- streams, and their share of the figures. What stays of them is in synap.purged_events. Read models are built anew by the workers.
--
--   purge_id    a row of synap.purges
--   positions   ... and first_time and last_time: the events, and bounds of their times, so that few chunks are touched
--
-- Returns the number of removed events. For the owner, whose transaction has set synap.purge to 'on'.
CREATE OR REPLACE FUNCTION synap.purge_events(
  purge_id   uuid,
  positions  bigint[],
  first_time timestamptz,
  last_time  timestamptz
) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
  chained bigint;
  counted bigint;
  ids     uuid[];
  removed bigint;
BEGIN
  -- The steps that extend the chain and that count events see all of these events, or none of them.
  SELECT b.last_position INTO chained
    FROM synap.chain_end AS e
    JOIN synap.chain_blocks AS b ON b.number = e.number
     FOR UPDATE OF e;
  SELECT c."position" INTO counted FROM synap.event_counts_end AS c FOR UPDATE;
  -- No append is under way, and the next one finds the triggers enabled.
  LOCK TABLE synap.event_ids, synap.idempotency_keys IN SHARE ROW EXCLUSIVE MODE;
  ALTER TABLE synap.event_ids ENABLE TRIGGER purged_ids_are_refused;
  ALTER TABLE synap.idempotency_keys ENABLE TRIGGER purged_keys_are_refused;

  EXECUTE $query$
    WITH going AS MATERIALIZED (
      SELECT e."position", e.stream_version, e.id, e.idempotency_key, e.created_by, e.source, e.type, e.aggregate_type,
             e.aggregate_id, e.user_id, e.correlation_id, (e."timestamp" AT TIME ZONE 'UTC')::date AS day,
             e.tableoid::regclass::text AS chunk, synap.event_digest(e) AS digest
        FROM synap.events AS e
       WHERE e."timestamp" BETWEEN $3 AND $4 AND e."position" = ANY ($2)
    ), tombstones AS (
      INSERT INTO synap.purged_events (
        "position", stream_version, purge, aggregate_type, aggregate_id, digest, id_hash, key_hash
      )
      SELECT g."position", g.stream_version, $1, g.aggregate_type, g.aggregate_id, g.digest, synap.purged_id_hash(g.id),
             synap.purged_key_hash(g.created_by, g.idempotency_key)
        FROM going AS g
    ), unidentified AS (
      DELETE FROM synap.event_ids AS i USING going AS g WHERE i.id = g.id
    ), unkeyed AS (
      DELETE FROM synap.idempotency_keys AS k USING going AS g
       WHERE k.created_by = g.created_by AND k.key = g.idempotency_key
    ), forgotten AS (
      DELETE FROM synap.aggregate_snapshots AS s
       USING (SELECT DISTINCT g.aggregate_type, g.aggregate_id FROM going AS g) AS g
       WHERE s.aggregate_type = g.aggregate_type AND s.aggregate_id = g.aggregate_id
         AND NOT EXISTS (SELECT FROM synap.purges AS p WHERE p.id = $1 AND p.keeps_copies)
    ), unparked AS (
      DELETE FROM synap.parked_events AS p USING going AS g WHERE p."position" = g."position"
    ), released AS (
      -- Neither a dead letter nor a retry: the later events of the stream are processed next.
      UPDATE synap.held_streams AS h
         SET dead_letter_id = NULL, "position" = NULL, retry_at = NULL, first_failed_at = NULL, failed_at = NULL,
             attempts = NULL, transient = NULL, event_id = NULL, code = NULL, reason = NULL
        FROM going AS g
       WHERE h."position" = g."position"
          OR h.dead_letter_id IN (SELECT d.id FROM synap.dead_letters AS d WHERE d.event_id = g.id::text)
    ), unchunked AS (
      UPDATE synap.chained_chunks AS c SET events = c.events - g.events
        FROM (SELECT g.chunk, count(*) AS events FROM going AS g WHERE g."position" <= $5 GROUP BY g.chunk) AS g
       WHERE c.chunk = g.chunk
    ), uncounted AS (
      UPDATE synap.event_counts AS c
         SET events = c.events - g.events, with_user = c.with_user - g.with_user,
             with_correlation = c.with_correlation - g.with_correlation
        FROM (
          SELECT g.day, g.type, split_part(g.created_by, ':', 1) COLLATE "C" AS actor_kind, count(*) AS events,
                 count(g.user_id) AS with_user, count(g.correlation_id) AS with_correlation
            FROM going AS g
           WHERE g."position" <= $6
           GROUP BY 1, 2, 3
        ) AS g
       WHERE c.day = g.day AND c.event_type = g.type AND c.actor_kind = g.actor_kind
    ), unattributed AS (
      UPDATE synap.event_origins AS o SET events = greatest(o.events - g.events, 0)
        FROM (
          SELECT g.day, CASE WHEN g.source IS NULL THEN 'creator' ELSE 'source' END AS kind,
                 coalesce(g.source, g.created_by) AS name, count(*) AS events
            FROM going AS g
           WHERE g."position" <= $6
           GROUP BY GROUPING SETS ((g.day, g.source), (g.day, g.created_by))
        ) AS g
       WHERE o.day = g.day AND o.kind = g.kind COLLATE "C" AND o.name = g.name
    ), typed AS (
      UPDATE synap.purges AS p
         SET events = p.events + g.events,
             event_types = ARRAY(SELECT DISTINCT t.name FROM unnest(p.event_types || g.types) AS t(name) ORDER BY 1)
        FROM (SELECT count(*) AS events, array_agg(DISTINCT g.type) AS types FROM going AS g) AS g
       WHERE p.id = $1 AND g.events > 0
    )
    SELECT array_agg(g.id) FROM going AS g
  $query$
    INTO ids
    USING purge_id, positions, first_time, last_time, chained, counted;

  DELETE FROM synap.dead_letters AS d WHERE d.event_id = ANY (ids::text[]);
  DELETE FROM synap.handler_failures AS f WHERE f.event_id = ANY (ids::text[]);
  DELETE FROM synap.unhandled_failures AS f WHERE f.event_id = ANY (ids::text[]);
  DELETE FROM synap.amendments AS a WHERE a.amended_id = ANY (ids) OR a.amending_id = ANY (ids);
  DELETE FROM synap.event_counts AS c WHERE c.events = 0;
  DELETE FROM synap.event_origins AS o WHERE o.events = 0;
  EXECUTE $query$
    DELETE FROM synap.events AS e WHERE e."timestamp" BETWEEN $2 AND $3 AND e."position" = ANY ($1)
  $query$ USING positions, first_time, last_time;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$function$;

REVOKE ALL ON FUNCTION synap.purge_events(uuid, bigint[], timestamptz, timestamptz) FROM PUBLIC;
