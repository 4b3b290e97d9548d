-- Takes the next append number. Before that it takes an advisory lock whose key contains a lower bound of the number, and
-- holds it until the transaction's rows are visible or gone: the readers' watermark depends on the order of the three
-- statements. A second append of the same transaction reuses the first bound, so it needs no second entry in the lock
-- table. Rolling back to a savepoint undoes both the lock and the setting.
--
-- The key is our namespace in the top byte, a salt of 13 bits, and the bound. Any session may lock any key, and an exclusive
-- lock on the next one would stop every append; so a key is only tried, and if it is taken, one with another salt.
--
-- With synchronous_commit off, readers would see events before they are on the disk, and after a crash others could have their numbers.
-- So a transaction that appends waits for the disk, whatever its session says.
--
-- A session that sets synap.timeline itself only spares itself the look at the history; the next session takes it.
CREATE OR REPLACE FUNCTION synap.take_append_number() RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  low  bigint;
  salt bigint := 0;
BEGIN
  IF pg_catalog.current_setting('synap.timeline', true) IS DISTINCT FROM
     pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8) THEN
    PERFORM synap.follow_history();
  END IF;
  SELECT least(s.last_value, nullif(pg_catalog.current_setting('synap.append_low', true), '')::bigint)
    INTO low
    FROM synap.append_sequence AS s;
  IF low < 0 THEN
    RAISE EXCEPTION 'synap.append_low may be set by appends only' USING ERRCODE = '42501';
  END IF;
  IF pg_catalog.current_setting('synchronous_commit') = 'off' THEN
    PERFORM pg_catalog.set_config('synchronous_commit', 'on', true);
  END IF;
  FOR attempt IN 1 .. 100 LOOP
    IF pg_catalog.pg_try_advisory_xact_lock_shared((synap.lock_namespace() << 56) | (salt << 43) | low) THEN
      PERFORM pg_catalog.set_config('synap.append_low', low::text, true);
      RETURN pg_catalog.nextval('synap.append_sequence');
    END IF;
    salt := 1 + pg_catalog.floor(pg_catalog.random() * 8191)::bigint;
  END LOOP;
  RAISE EXCEPTION 'other sessions hold the advisory locks of the append at %', low
    USING ERRCODE = '40001', HINT = 'See "foreignLocks" in the status for the sessions.';
END
$$;

REVOKE ALL ON FUNCTION synap.take_append_number() FROM PUBLIC;
