-- Returns the number up to which every append is either committed or never will be. The proof is in docs/insides/store.md;
-- it depends on the order of the statements here, and on appends performing theirs in the opposite order.
--
-- Any session may take an advisory lock with any key. Those of appends are recognised by the lock on synap.streams, which
-- every append takes before it reads the sequence and holds as long; taking it requires the right to use this schema.
-- Sessions and roles are not checked, so grants to the appending login don't matter. A prepared transaction has no session.
--
-- It is the number of a committed append. The sequence may be further, by numbers that were rolled back, and no commit has waited until
-- that is on the disk: after a crash, such numbers are given out again.
CREATE OR REPLACE FUNCTION synap.append_watermark() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
  high bigint;
  held bigint;
BEGIN
  -- An older snapshot would miss appends below the watermark.
  IF pg_catalog.current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the watermark needs READ COMMITTED' USING ERRCODE = 'SY005';
  END IF;

  -- A standby has none of the primary's locks. What it may read is in a row that it replays.
  IF pg_catalog.pg_is_in_recovery() THEN
    RETURN (SELECT h.number FROM synap.read_horizon AS h);
  END IF;

  -- First the highest number assigned, ...
  SELECT last_value INTO high FROM synap.append_sequence;

  -- ... then the lowest bound of an unfinished append, as in synap.append_locks. The statement has no variable, because with
  -- one it would be planned at each call.
  SELECT min(appender.low) INTO held
    FROM (
      SELECT min(synap.append_start_of(l.classid, l.objid)) FILTER (WHERE l.locktype = 'advisory') AS low
        FROM pg_catalog.pg_locks AS l
       WHERE (l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid::bigint >> 24 = synap.lock_namespace()
              OR l.locktype = 'relation' AND l.relation = 'synap.streams'::regclass AND l.mode = 'RowExclusiveLock')
         AND l.database = (SELECT synap.this_database())
       GROUP BY coalesce(l.pid::text, l.virtualtransaction)
      HAVING bool_or(l.locktype = 'relation')
    ) AS appender;

  -- Last the append log, in a statement that sees every append up to both.
  RETURN coalesce((SELECT max(a.number) FROM synap.appends AS a WHERE a.number <= least(high, held)), 0);
END
$$;

REVOKE ALL ON FUNCTION synap.append_watermark() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.append_watermark() TO synap_app;
