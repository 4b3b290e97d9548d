-- Locks are listed by the number of their database. Every PostgreSQL lets everybody look that up, but the embedded
-- engine is initialised without the privilege, so the owner looks it up for all.
CREATE OR REPLACE FUNCTION synap.this_database() RETURNS oid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
$$;

REVOKE ALL ON FUNCTION synap.this_database() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.this_database() TO synap_app;
