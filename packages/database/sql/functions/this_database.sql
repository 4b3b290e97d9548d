-- Returns the OID of this database, by which pg_locks names it. Runs as the owner, because the embedded engine, unlike other
-- PostgreSQL servers, is initialised without the privilege to read pg_database.
CREATE OR REPLACE FUNCTION synap.this_database() RETURNS oid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
$$;

REVOKE ALL ON FUNCTION synap.this_database() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.this_database() TO synap_app;
