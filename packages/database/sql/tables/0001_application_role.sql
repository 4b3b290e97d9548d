-- The role that applications run as. It can append and read; it can't change or remove an event, nor alter the schema.
-- Roles belong to the cluster, not to the database: another database's migration may have created it, or be creating
-- it at this very moment.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_app') THEN
    BEGIN
      CREATE ROLE synap_app NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;
    END;
  END IF;
END
$$;

-- The login that migrates must be able to become the role. A superuser can anyway; whoever has just created the role may
-- grant it to itself, and since PostgreSQL 16 must: creating it gives the right to administer it, not to become it. For any
-- other login an administrator does it; migrate names the statement.
DO $$
DECLARE
  knows_set CONSTANT boolean := pg_catalog.current_setting('server_version_num')::integer >= 160000;
BEGIN
  IF NOT pg_catalog.pg_has_role(current_user, 'synap_app', CASE WHEN knows_set THEN 'SET' ELSE 'MEMBER' END) THEN
    BEGIN
      EXECUTE pg_catalog.format('GRANT synap_app TO %I', current_user)
        || CASE WHEN knows_set THEN ' WITH SET TRUE, INHERIT TRUE' ELSE '' END;
    EXCEPTION WHEN insufficient_privilege OR unique_violation OR internal_error THEN
      RAISE NOTICE 'role synap_app could not be granted to %', current_user;
    END;
  END IF;
END
$$;

GRANT USAGE ON SCHEMA synap TO synap_app;
GRANT SELECT ON synap.migrations TO synap_app;
