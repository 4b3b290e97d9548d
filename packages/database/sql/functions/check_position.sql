-- Raises SY016 for a position that the store has never had: of events that were lost when it was restored, or of another store. The
-- detail is JSON: position, the epoch that began since (null: the position is beyond the end), and resumeAfter, the last position that
-- the store has in common with the one that had it.
--
-- The end is not known on a standby, which may be behind. The greatest safe integer means the end of the log.
CREATE OR REPLACE FUNCTION synap.check_position("position" bigint) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
  lost_in  integer;
  common   bigint;
  last_end bigint;
BEGIN
  SELECT min(e.number), min(e.last_before) INTO lost_in, common
    FROM synap.epochs AS e
   WHERE "position" >> 10 > e.last_before AND "position" >> 10 < e.first_number;
  IF lost_in IS NULL THEN
    IF "position" = 9007199254740991 OR pg_is_in_recovery() THEN
      RETURN;
    END IF;
    SELECT s.last_value * 1024 + 1023 INTO last_end FROM synap.append_sequence AS s;
    IF "position" <= last_end THEN
      RETURN;
    END IF;
  END IF;
  RAISE EXCEPTION 'the store has never had position %', "position"
    USING ERRCODE = 'SY016',
          DETAIL = json_build_object('position', "position", 'epoch', lost_in, 'resumeAfter',
            coalesce(common, (SELECT max(a.number) FROM synap.appends AS a), 0) * 1024 + 1023)::text,
          HINT = 'It was restored from a backup, or it is another store. Compare what was read after resumeAfter, and continue there.';
END
$$;

REVOKE ALL ON FUNCTION synap.check_position(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.check_position(bigint) TO synap_app;
