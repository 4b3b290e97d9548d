-- Begins another epoch: append numbers continue at least 2^30 behind the last one, and behind beyond_number. Idempotent until it is
-- committed, although a sequence is not rolled back. The caller holds a lock on synap.epochs, and no append has a number that is not
-- committed. Returns the number of the epoch.
CREATE OR REPLACE FUNCTION synap.begin_epoch(beyond_number bigint) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  head  bigint := coalesce((SELECT max(a.number) FROM synap.appends AS a), 0);
  -- The one before may have no append here, and others may have read some.
  begun bigint := (SELECT max(e.first_number) FROM synap.epochs AS e);
  start bigint;
  made  integer;
BEGIN
  SELECT setval('synap.append_sequence', greatest(s.last_value, ((greatest(head, beyond_number, begun) >> 30) + 2) << 30)) + 1
    INTO start
    FROM synap.append_sequence AS s;
  INSERT INTO synap.epochs (number, first_number, last_before, history)
  SELECT max(e.number) + 1, start, head, synap.database_history() FROM synap.epochs AS e
  ON CONFLICT (number) DO NOTHING
  RETURNING number INTO made;
  RETURN made;
END
$$;

REVOKE ALL ON FUNCTION synap.begin_epoch(bigint) FROM PUBLIC;
