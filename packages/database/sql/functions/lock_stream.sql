-- Waits for the appends to a stream and lets none begin until the transaction ends. A SELECT ... FOR UPDATE would need
-- the right to change the row.
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
