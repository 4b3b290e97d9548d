-- Takes the next append number. Before that it holds, until the transaction's rows are visible or gone, a note from
-- where the number can only be higher: the readers' watermark rests on the order of the three statements. A second
-- append of the same transaction holds the first note, which costs no second entry in the lock table. A rolled back
-- savepoint takes the lock and the setting along.
--
-- The key is our namespace in the top byte, a salt of 13 bits, and the note. Any session may lock any key, and an exclusive lock on
-- the next one would stop every append: so it is tried and not waited for, and while somebody has it another salt is.
CREATE OR REPLACE FUNCTION synap.take_append_number() RETURNS bigint
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  low  bigint;
  salt bigint := 0;
BEGIN
  SELECT least(s.last_value, nullif(pg_catalog.current_setting('synap.append_low', true), '')::bigint)
    INTO low
    FROM synap.append_sequence AS s;
  IF low < 0 THEN
    RAISE EXCEPTION 'synap.append_low is set by appends alone' USING ERRCODE = '42501';
  END IF;
  FOR attempt IN 1 .. 100 LOOP
    IF pg_catalog.pg_try_advisory_xact_lock_shared((synap.lock_namespace() << 56) | (salt << 43) | low) THEN
      PERFORM pg_catalog.set_config('synap.append_low', low::text, true);
      RETURN pg_catalog.nextval('synap.append_sequence');
    END IF;
    salt := 1 + pg_catalog.floor(pg_catalog.random() * 8191)::bigint;
  END LOOP;
  RAISE EXCEPTION 'other sessions hold the advisory locks of the append at %', low
    USING ERRCODE = '40001', HINT = 'See "foreignLocks" in the status for who they are.';
END
$$;

REVOKE ALL ON FUNCTION synap.take_append_number() FROM PUBLIC;
