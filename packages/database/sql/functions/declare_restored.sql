-- Begins another epoch because the store was restored: from a copy of its files, which looks like the store itself. One that began by
-- itself and was not verified yet is taken for it, unless an append number is named that was given out beyond it. For the owner. Returns
-- the number of the epoch.
CREATE OR REPLACE FUNCTION synap.declare_restored(beyond_number bigint DEFAULT 0) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  last_epoch synap.epochs;
BEGIN
  -- No append is under way, and the next one gets a number of the new epoch.
  LOCK TABLE synap.streams IN SHARE ROW EXCLUSIVE MODE;
  LOCK TABLE synap.epochs IN SHARE ROW EXCLUSIVE MODE;
  SELECT * INTO last_epoch FROM synap.epochs AS e ORDER BY e.number DESC LIMIT 1;
  IF last_epoch.verified_at IS NULL AND last_epoch.history = synap.database_history()
     AND last_epoch.first_number > beyond_number THEN
    RETURN last_epoch.number;
  END IF;
  RETURN synap.begin_epoch(beyond_number);
END
$$;

REVOKE ALL ON FUNCTION synap.declare_restored(bigint) FROM PUBLIC;
