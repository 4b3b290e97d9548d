-- Gives a function or a relation to those who take part through SQL, and to nobody else. The file that makes a thing
-- calls this for it. "what" is SQL, as in GRANT: it comes from migrations only, and only the owner may call it.
CREATE OR REPLACE FUNCTION synap.grant_to_sql_writers(privilege text, what text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE 'REVOKE ALL ON ' || what || ' FROM PUBLIC';
  EXECUTE 'GRANT ' || privilege || ' ON ' || what || ' TO synap_app';
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_sql') THEN
    EXECUTE 'GRANT ' || privilege || ' ON ' || what || ' TO synap_sql';
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap.grant_to_sql_writers(text, text) FROM PUBLIC;
