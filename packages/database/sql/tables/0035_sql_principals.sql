-- Role of programs that use SQL as one user, agent or machine: it posts events as that one, and reads those that he may see. Like
-- synap_sql it has no right on any table except event_types. A login gets it by GRANT synap_sql_own TO <login>, and needs a row in
-- synap.sql_principals.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_sql_own') THEN
    BEGIN
      CREATE ROLE synap_sql_own NOLOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN
        NULL;
      WHEN insufficient_privilege THEN
        RAISE NOTICE 'role synap_sql_own could not be created; for programs that use SQL as one user, an administrator runs CREATE ROLE synap_sql_own NOLOGIN';
    END;
  END IF;
END
$$;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_sql_own') THEN
    GRANT USAGE ON SCHEMA synap TO synap_sql_own;
    GRANT SELECT ON synap.event_types TO synap_sql_own;
  END IF;
END
$$;

-- The principals of the logins with that role: a user sees the events with his id, an agent or a machine those that it created. Only the
-- owner writes here.
CREATE TABLE synap.sql_principals (
  login name PRIMARY KEY,
  kind  text NOT NULL CHECK (kind IN ('user', 'agent', 'machine')),
  id    text NOT NULL COLLATE "C" CHECK (id ~ '^[A-Za-z0-9._@-]{1,128}$')
);
