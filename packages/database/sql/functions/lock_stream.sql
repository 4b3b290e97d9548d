-- Locks a stream until the transaction ends: waits for its running appends and blocks new ones. Runs as the owner, because
-- SELECT ... FOR UPDATE requires the right to update the row.
CREATE OR REPLACE FUNCTION synap.lock_stream(aggregate_type text, aggregate_id text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM synap.streams AS s
    WHERE s.aggregate_type = lock_stream.aggregate_type AND s.aggregate_id = lock_stream.aggregate_id
      FOR UPDATE;
END
$$;

REVOKE ALL ON FUNCTION synap.lock_stream(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.lock_stream(text, text) TO synap_app;
