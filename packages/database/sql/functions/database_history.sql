-- Returns the identity of this database's log: the server's system identifier, the database's OID and the timeline, which changes with
-- every promotion and every recovery to a point in time. Equal on a primary and in what its standbys replay. Fails on a standby. Runs
-- as the owner, because the embedded engine is initialised without the privilege to read pg_database.
CREATE OR REPLACE FUNCTION synap.database_history() RETURNS text
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_catalog.concat_ws(
           ' ',
           (SELECT c.system_identifier FROM pg_catalog.pg_control_system() AS c),
           (SELECT synap.this_database()),
           pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8)
         )
$$;

REVOKE ALL ON FUNCTION synap.database_history() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.database_history() TO synap_app;
