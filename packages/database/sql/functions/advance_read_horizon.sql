-- Moves synap.read_horizon to the watermark, if that is ahead of it, and returns the row. The watermark comes first: when the row is
-- written, all appends up to it have written their commits to the log that standbys replay.
--
-- Runs as the owner, because the application role must not move it. A crash may lose the last moves, so the commit need not wait
-- for the disk. The row is also written when the database has another history than before: restored, or promoted.
CREATE OR REPLACE FUNCTION synap.advance_read_horizon()
RETURNS TABLE (number bigint, history text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  safe_number bigint := synap.append_watermark();
  own_history text := synap.database_history();
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE synap.read_horizon AS h SET number = safe_number, history = own_history
   WHERE h.number < safe_number OR h.history <> own_history;
  RETURN QUERY SELECT h.number, h.history FROM synap.read_horizon AS h;
END
$$;

REVOKE ALL ON FUNCTION synap.advance_read_horizon() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.advance_read_horizon() TO synap_app;
