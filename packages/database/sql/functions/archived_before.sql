-- Returns the archived chunk with the last events before a position, of those that may have events of all of the keys, which are hashes as of
-- synap.archive_key; nulls among them do not count. VOLATILE and with a lock, as synap.before_archived.
CREATE OR REPLACE FUNCTION synap.archived_before(before_position bigint, keys bigint[]) RETURNS synap.archived_chunks
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  found synap.archived_chunks;
BEGIN
  IF NOT EXISTS (SELECT FROM synap.archived_ranges) THEN
    RETURN NULL;
  END IF;
  SELECT c.* INTO found
    FROM synap.archived_chunks AS c
   WHERE c.state = 'dropped' AND c.first_position < before_position
     AND NOT EXISTS (
       SELECT FROM unnest(keys) AS wanted (hash)
        WHERE wanted.hash IS NOT NULL
          AND NOT EXISTS (SELECT FROM synap.archived_keys AS k WHERE k.hash = wanted.hash AND k.chunk = c.number))
   ORDER BY c.last_position DESC
   LIMIT 1;
  RETURN found;
END
$$;

REVOKE ALL ON FUNCTION synap.archived_before(bigint, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.archived_before(bigint, bigint[]) TO synap_app;
