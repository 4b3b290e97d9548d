-- Begins another epoch if another database than this one wrote the last: it was restored, copied, or promoted. The first append of each
-- session calls this before it takes its number, so that no number is given out twice.
CREATE OR REPLACE FUNCTION synap.follow_history() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  own_history text := synap.database_history();
  written_by  text;
BEGIN
  SELECT e.history INTO written_by FROM synap.epochs AS e ORDER BY e.number DESC LIMIT 1;
  IF written_by IS DISTINCT FROM own_history THEN
    LOCK TABLE synap.epochs IN SHARE ROW EXCLUSIVE MODE;
    -- As the one who had the lock has left it.
    SELECT e.history INTO written_by FROM synap.epochs AS e ORDER BY e.number DESC LIMIT 1;
    IF written_by = '' THEN
      UPDATE synap.epochs AS e SET history = own_history WHERE e.history = '';
    ELSIF written_by <> own_history THEN
      PERFORM synap.begin_epoch(0);
    END IF;
  END IF;
  -- The rest of the history stays while a session lasts.
  PERFORM set_config('synap.timeline', split_part(own_history, ' ', 3), false);
END
$$;

REVOKE ALL ON FUNCTION synap.follow_history() FROM PUBLIC;
