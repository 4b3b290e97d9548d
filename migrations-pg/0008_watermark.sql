-- Locks are listed by the number of their database. Every PostgreSQL lets everybody look that up, but the embedded
-- engine is initialised without the privilege, so the owner looks it up for all.
CREATE FUNCTION synap.this_database() RETURNS oid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
$$;

-- The number up to which every append is either committed or will never be. See docs/store.md for the proof; it rests
-- on the order of the two statements, and on append_events doing its three steps in the opposite order.
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
  -- lock's 64-bit key as two halves: 83 in the top byte is our namespace, the other 56 bits are the number.
  SELECT min(((l.classid::bigint & 16777215) << 32) | l.objid::bigint) INTO held
    FROM pg_catalog.pg_locks AS l
   WHERE l.locktype = 'advisory'
     AND l.database = synap.this_database()
     AND l.objsubid = 1
     AND l.classid::bigint >> 24 = 83;

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
