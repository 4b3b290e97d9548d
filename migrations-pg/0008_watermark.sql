-- Locks are listed by the number of their database. Every PostgreSQL lets everybody look that up, but the embedded
-- engine is initialised without the privilege, so the owner looks it up for all.
CREATE FUNCTION synap.this_database() RETURNS oid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
$$;

-- The number up to which every append is either committed or will never be. See docs/store.md for the proof; it rests
-- on the order of the two statements, and on appends doing their steps in the opposite order.
--
-- Any session may take an advisory lock with any key. Those of an append are told from others by the lock on
-- synap.streams that every append takes before it looks at the sequence and keeps as long: only who may append can have
-- it, because it takes the right to use this schema. Sessions and roles are not looked at, so it doesn't matter which
-- login appends, and what was granted to it or taken from it meanwhile. A prepared transaction has no session.
CREATE FUNCTION synap.append_watermark() RETURNS bigint
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

  -- ... then the lowest number from which an appender that isn't finished may have started. PostgreSQL shows the
  -- lock's 64-bit key as two halves: 83 in the top byte is our namespace, the lowest 43 bits are the number. No variable
  -- in the statement: with one it would be planned anew each time.
  SELECT min(appender.low) INTO held
    FROM (
      SELECT min(((l.classid::bigint & 2047) << 32) | l.objid::bigint) FILTER (WHERE l.locktype = 'advisory') AS low
        FROM pg_catalog.pg_locks AS l
       WHERE (l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid::bigint >> 24 = 83
              OR l.locktype = 'relation' AND l.relation = 'synap.streams'::regclass AND l.mode = 'RowExclusiveLock')
         AND l.database = (SELECT synap.this_database())
       GROUP BY coalesce(l.pid::text, l.virtualtransaction)
      HAVING bool_or(l.locktype = 'relation')
    ) AS appender;

  RETURN least(high, held);
END
$$;

-- What a reader at after_position may read next: the appends that follow, until they hold max_events events, with the
-- time bounds to look for them in. One row always. Each statement of a VOLATILE function sees what was committed
-- before that statement began, so the append log is read after the watermark was found.
CREATE FUNCTION synap.next_appends(after_position bigint, max_events integer)
RETURNS TABLE (watermark bigint, up_to bigint, more boolean, min_timestamp timestamptz, max_timestamp timestamptz)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  safe_number bigint := synap.append_watermark();
  last_number bigint;
BEGIN
  watermark := safe_number * 1024 + 1023;

  SELECT max(w.number), max(w.last_position), min(w.min_timestamp), max(w.max_timestamp)
    INTO last_number, up_to, min_timestamp, max_timestamp
    FROM (
      SELECT a.*, sum(a.count) OVER (ORDER BY a.number) - a.count AS events_before
        FROM (
          SELECT * FROM synap.appends
           WHERE number >= after_position >> 10 AND number <= safe_number AND last_position > after_position
           ORDER BY number
           LIMIT max_events
        ) AS a
    ) AS w
   WHERE w.events_before < max_events;

  more := last_number IS NOT NULL
    AND EXISTS (SELECT FROM synap.appends WHERE number > last_number AND number <= safe_number);
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION synap.this_database(), synap.append_watermark(), synap.next_appends(bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.this_database(), synap.append_watermark(), synap.next_appends(bigint, integer)
  TO synap_app;
