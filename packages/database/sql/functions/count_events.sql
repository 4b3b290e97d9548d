-- Adds the next events to synap.event_counts and synap.event_origins: at most max_events, or one append, up to the watermark.
-- Returns false when none is left, or another session is counting.
--
-- Runs as the owner, because the application role must not change the figures. A crash may lose the last counts, together with
-- their position, so the commit need not wait for the disk.
CREATE OR REPLACE FUNCTION synap.count_events(max_events integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  counted  bigint;
  next     record;
  new_days date[];
BEGIN
  SELECT c."position" INTO counted FROM synap.event_counts_end AS c FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  SELECT n.up_to, n.more INTO next FROM synap.next_appends(counted, max_events) AS n;
  IF next.up_to IS NULL THEN
    RETURN false;
  END IF;
  PERFORM set_config('synchronous_commit', 'off', true);

  WITH figures AS MATERIALIZED (
    SELECT * FROM synap.figures_between(counted, next.up_to)
  ), by_type AS (
    INSERT INTO synap.event_counts AS kept (
      day, event_type, actor_kind, events, with_user, with_correlation, first_position, last_position
    )
    SELECT f.day, f.event_type, f.actor_kind, f.events, f.with_user, f.with_correlation, f.first_position, f.last_position
      FROM figures AS f
     WHERE f.event_type IS NOT NULL
    ON CONFLICT (day, event_type, actor_kind) DO UPDATE SET
      events = kept.events + EXCLUDED.events,
      with_user = kept.with_user + EXCLUDED.with_user,
      with_correlation = kept.with_correlation + EXCLUDED.with_correlation,
      first_position = least(kept.first_position, EXCLUDED.first_position),
      last_position = greatest(kept.last_position, EXCLUDED.last_position)
  ), by_origin AS (
    INSERT INTO synap.event_origins AS kept (day, kind, name, events)
    SELECT f.day, CASE WHEN f.creator IS NULL THEN 'source' ELSE 'creator' END, coalesce(f.creator, f.source), f.events
      FROM figures AS f
     WHERE f.event_type IS NULL
    ON CONFLICT (day, kind, name) DO UPDATE SET events = kept.events + EXCLUDED.events
    -- An updated row has an xmax.
    RETURNING kept.day, kept.xmax = 0 AS is_new
  )
  SELECT array_agg(DISTINCT o.day) INTO new_days FROM by_origin AS o WHERE o.is_new;

  -- More than 1,000 names: see the table.
  WITH crowded AS MATERIALIZED (
    SELECT d.day, k.kind, least_named.events
      FROM unnest(new_days) AS d (day)
     CROSS JOIN (VALUES ('source'), ('creator')) AS k (kind)
     CROSS JOIN LATERAL (
       SELECT o.events FROM synap.event_origins AS o
        WHERE o.day = d.day AND o.kind = k.kind
        ORDER BY o.events DESC OFFSET 1000 LIMIT 1
     ) AS least_named
  ), removed AS (
    DELETE FROM synap.event_origins AS o USING crowded AS c
     WHERE o.day = c.day AND o.kind = c.kind AND o.events <= c.events
  )
  UPDATE synap.event_origins AS o SET events = o.events - c.events
    FROM crowded AS c
   WHERE o.day = c.day AND o.kind = c.kind AND o.events > c.events;

  UPDATE synap.event_counts_end SET "position" = next.up_to;
  RETURN next.more;
END
$$;

REVOKE ALL ON FUNCTION synap.count_events(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.count_events(integer) TO synap_app;
