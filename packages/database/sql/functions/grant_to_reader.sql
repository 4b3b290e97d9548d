-- Grants a privilege on a view or function to synap_reader, if the role exists. The file that creates the object calls this.
-- "target" is SQL, as in GRANT: only migrations pass it, and only the owner may call.
CREATE OR REPLACE FUNCTION synap.grant_to_reader(privilege text, target text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_reader') THEN
    EXECUTE 'GRANT ' || privilege || ' ON ' || target || ' TO synap_reader';
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap.grant_to_reader(text, text) FROM PUBLIC;
