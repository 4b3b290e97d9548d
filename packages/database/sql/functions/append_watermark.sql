-- The number up to which every append is either committed or will never be. See docs/insides/store.md for the proof; it rests
-- on the order of the two statements, and on appends doing their steps in the opposite order.
--
-- Any session may take an advisory lock with any key. Those of an append are distinguished by the lock on
-- synap.streams that every append takes before it looks at the sequence and keeps as long: only who may append can have
-- it, because it takes the right to use this schema. Sessions and roles are not looked at, so it doesn't matter which
-- login appends, and what was granted to it or taken from it meanwhile. A prepared transaction has no session.
CREATE OR REPLACE FUNCTION synap.append_watermark() RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  high bigint;
  held bigint;
BEGIN
  -- An older snapshot would miss what the watermark promises.
  IF pg_catalog.current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the watermark needs READ COMMITTED' USING ERRCODE = 'SY005';
  END IF;

  -- First the highest number given out, ...
  SELECT last_value INTO high FROM synap.append_sequence;

  -- ... then the lowest number from which an appender that isn't finished may have started. As in synap.append_locks. No
  -- variable in the statement: with one it would be planned anew each time.
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

  RETURN least(high, held);
END
$$;

REVOKE ALL ON FUNCTION synap.append_watermark() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.append_watermark() TO synap_app;
