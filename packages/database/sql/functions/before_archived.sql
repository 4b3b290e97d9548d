-- Returns the last position up to which a reader at after_position may read on, if the next events up to up_to are archived in part: the end
-- of those before them. Raises SY017 if the archived ones are the next. As up_to where none is archived, which costs one look at an empty table.
--
-- VOLATILE, and so in a snapshot of its own; the lock on the table that this takes then keeps the chunks as they are until the end of the
-- transaction, because dropping and restoring one needs it alone.
CREATE OR REPLACE FUNCTION synap.before_archived(after_position bigint, up_to bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  next     synap.archived_ranges;
  archived synap.archived_chunks;
  readable bigint;
BEGIN
  SELECT * INTO next FROM synap.archived_ranges AS r WHERE r.last_position > after_position ORDER BY r.last_position LIMIT 1;
  IF next.first_position IS NULL OR next.first_position > up_to THEN
    RETURN up_to;
  END IF;
  -- The append of the first archived event may have others before it; else the appends before that one have.
  IF next.first_position & 1023 > 0 AND next.first_position - 1 > after_position THEN
    RETURN next.first_position - 1;
  END IF;
  SELECT max(a.last_position) INTO readable
    FROM synap.appends AS a
   WHERE a.number >= after_position >> 10 AND a.number < next.first_position >> 10 AND a.last_position > after_position;
  IF readable IS NULL THEN
    SELECT c.* INTO archived FROM synap.archived_chunks AS c WHERE c.chunk = next.chunk;
    PERFORM synap.refuse_archived(archived);
  END IF;
  RETURN readable;
END
$$;

REVOKE ALL ON FUNCTION synap.before_archived(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.before_archived(bigint, bigint) TO synap_app;
