-- Digests the stored events after a position, up to another one, between two moments: one row with their number, the digest of their
-- digests in the order of positions, and the number and the bounds of those in each chunk. Purged events count with the digest that was kept
-- of them, but in no chunk; so do archived events of blocks that have others as well. The moments serve to read few chunks.
CREATE OR REPLACE FUNCTION synap.digest_between(
  after_position bigint, up_to bigint, first_time timestamptz, last_time timestamptz
)
RETURNS TABLE (events bigint, digest bytea, chunks jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  RETURN QUERY EXECUTE $query$
    WITH digested AS MATERIALIZED (
      SELECT e."position", e.tableoid AS chunk, e."timestamp", synap.event_digest(e) AS digest
        FROM synap.events AS e
       WHERE e."position" > $1 AND e."position" <= $2 AND e."timestamp" BETWEEN $3 AND $4
      UNION ALL
      SELECT p."position", NULL, NULL, p.digest
        FROM synap.purged_events AS p
       WHERE p."position" > $1 AND p."position" <= $2
      UNION ALL
      SELECT a."position", NULL, NULL, a.digest
        FROM synap.archived_digests AS a
       WHERE a."position" > $1 AND a."position" <= $2
    )
    SELECT (SELECT count(*) FROM digested),
           (SELECT sha256(coalesce(string_agg(d.digest, ''::bytea ORDER BY d."position"), '')) FROM digested AS d),
           (SELECT coalesce(jsonb_agg(jsonb_build_object(
                     'chunk', c.chunk::regclass, 'events', c.events, 'min', c.first_time, 'max', c.last_time
                   )), '[]')
              FROM (
                SELECT d.chunk, count(*) AS events, min(d."timestamp") AS first_time, max(d."timestamp") AS last_time
                  FROM digested AS d
                 WHERE d.chunk IS NOT NULL
                 GROUP BY d.chunk
              ) AS c)
  $query$ USING after_position, up_to, first_time, last_time;
END
$$;

REVOKE ALL ON FUNCTION synap.digest_between(bigint, bigint, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.digest_between(bigint, bigint, timestamptz, timestamptz) TO synap_app;
