-- Adds the next events to synap.event_counts: at most max_events, or one append, up to the watermark. Returns false when none is
-- left, or another session is counting.
--
-- Runs as the owner, because the application role must not change the figures. A crash may lose the last counts, together with
-- their position, so the commit need not wait for the disk.
CREATE OR REPLACE FUNCTION synap.count_events(max_events integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  counted bigint;
  next    record;
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
  INSERT INTO synap.event_counts AS kept (
    day, event_type, actor_kind, events, with_user, with_correlation, first_position, last_position
  )
  SELECT c.day, c.event_type, c.actor_kind, c.events, c.with_user, c.with_correlation, c.first_position, c.last_position
    FROM synap.counts_between(counted, next.up_to) AS c
  ON CONFLICT (day, event_type, actor_kind) DO UPDATE SET
    events = kept.events + EXCLUDED.events,
    with_user = kept.with_user + EXCLUDED.with_user,
    with_correlation = kept.with_correlation + EXCLUDED.with_correlation,
    first_position = least(kept.first_position, EXCLUDED.first_position),
    last_position = greatest(kept.last_position, EXCLUDED.last_position);
  UPDATE synap.event_counts_end SET "position" = next.up_to;
  RETURN next.more;
END
$$;

REVOKE ALL ON FUNCTION synap.count_events(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.count_events(integer) TO synap_app;
