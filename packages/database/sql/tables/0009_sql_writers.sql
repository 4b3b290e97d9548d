-- The role of programs that take part through SQL alone: it posts events and reads them, through functions and
-- a view, and touches no table but event_types. A login becomes one by GRANT synap_sql TO <login>. Where the migrating login may
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

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_sql') THEN
    GRANT USAGE ON SCHEMA synap TO synap_sql;
    GRANT SELECT ON synap.event_types TO synap_sql;
  END IF;
END
$$;
