-- The order of appends. Each append takes one number; an event's position is number * 1024 + its place in the append.
CREATE SEQUENCE synap.append_sequence AS bigint;

-- A fresh sequence shows last_value 1 both before and after its first number. The watermark needs last_value to be
-- strictly below every number still to come, so the first number is used up here.
SELECT pg_catalog.nextval('synap.append_sequence');

-- One row for each append that stored something. A reader asks this small table first and learns the time bounds of
-- what comes next; without them it would have to look into every chunk. It also gives lag and throughput for nothing.
CREATE TABLE synap.appends (
  number        bigint         PRIMARY KEY,
  last_position bigint         NOT NULL,
  count         integer        NOT NULL,
  min_timestamp timestamptz(3) NOT NULL,
  max_timestamp timestamptz(3) NOT NULL,
  recorded_at   timestamptz(3) NOT NULL
);

-- Takes the next append number. Before that it holds, until the transaction's rows are visible or gone, a note from
-- where the number can only be higher: the readers' watermark rests on the order of the three statements. A second
-- append of the same transaction holds the first note, which costs no second entry in the lock table. A rolled back
-- savepoint takes the lock and the setting along.
--
-- The key is 83 in the top byte, a salt of 13 bits, and the note. Any session may lock any key, and an exclusive lock on
-- the next one would stop every append: so it is tried and not waited for, and while somebody has it another salt is.
CREATE FUNCTION synap.take_append_number() RETURNS bigint
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
    IF pg_catalog.pg_try_advisory_xact_lock_shared((83::bigint << 56) | (salt << 43) | low) THEN
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

GRANT SELECT ON SEQUENCE synap.append_sequence TO synap_app;
GRANT SELECT ON synap.appends TO synap_app;
