-- Role of programs that use SQL only: it posts and reads events through functions and a view, and has no right on any table
-- except event_types. A login gets it by GRANT synap_sql TO <login>. If the migrating login may not create roles and the
-- administrator has not created it, it is missing; synap_app has the same rights.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_sql') THEN
    BEGIN
      CREATE ROLE synap_sql NOLOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN
        NULL;
      WHEN insufficient_privilege THEN
        RAISE NOTICE 'role synap_sql could not be created; for programs that use SQL, an administrator runs CREATE ROLE synap_sql NOLOGIN';
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
