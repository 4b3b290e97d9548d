-- Grants a privilege on a function or view to synap_sql_own, if the role exists, and revokes it from everybody else. The file that
-- creates the object calls this. "target" is SQL, as in GRANT: only migrations pass it, and only the owner may call.
CREATE OR REPLACE FUNCTION synap.grant_to_own_sql(privilege text, target text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE 'REVOKE ALL ON ' || target || ' FROM PUBLIC';
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_sql_own') THEN
    EXECUTE 'GRANT ' || privilege || ' ON ' || target || ' TO synap_sql_own';
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap.grant_to_own_sql(text, text) FROM PUBLIC;
