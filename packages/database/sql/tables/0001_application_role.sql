-- Role of applications. It can append and read, but not change or delete events or alter the schema. Roles belong to the
-- cluster and not to the database, so the migration of another database may have created it, or may be creating it now.
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

-- The migrating login must be able to SET ROLE to it. A superuser can, and the creator of the role may grant it to itself:
-- since PostgreSQL 16 it has to, because creating a role gives the ADMIN option without SET. For any other login an
-- administrator must run the GRANT, which `migrate` prints.
DO $$
DECLARE
  has_set_option CONSTANT boolean := pg_catalog.current_setting('server_version_num')::integer >= 160000;
BEGIN
  IF NOT pg_catalog.pg_has_role(current_user, 'synap_app', CASE WHEN has_set_option THEN 'SET' ELSE 'MEMBER' END) THEN
    BEGIN
      EXECUTE pg_catalog.format('GRANT synap_app TO %I', current_user)
        || CASE WHEN has_set_option THEN ' WITH SET TRUE, INHERIT TRUE' ELSE '' END;
    EXCEPTION WHEN insufficient_privilege OR unique_violation OR internal_error THEN
      RAISE NOTICE 'role synap_app could not be granted to %', current_user;
    END;
  END IF;
END
$$;

GRANT USAGE ON SCHEMA synap TO synap_app;
GRANT SELECT ON synap.migrations TO synap_app;
