-- The role of programs that take part through SQL alone: it posts events and reads them, through the functions and the
-- view below, and touches no table. A login becomes one by GRANT synap_sql TO <login>. Where the migrating login may
-- not create roles there is none, unless the administrator has made it before; synap_app can do all of it anyway.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_sql') THEN
    BEGIN
      CREATE ROLE synap_sql NOLOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN
        NULL;
      WHEN insufficient_privilege THEN
        RAISE NOTICE 'role synap_sql could not be created; see docs/sql.md';
    END;
  END IF;
END
$$;

-- Gives a function or a relation to those who take part through SQL, and to nobody else. The file that makes a thing
-- calls this for it. "what" is SQL, as in GRANT: it comes from migrations only, and only the owner may call it.
CREATE FUNCTION synap.grant_to_sql_writers(privilege text, what text) RETURNS void
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

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_sql') THEN
    GRANT USAGE ON SCHEMA synap TO synap_sql;
  END IF;
END
$$;

SELECT synap.grant_to_sql_writers('SELECT', 'TABLE synap.event_types');
