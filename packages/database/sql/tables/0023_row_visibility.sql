-- The user and the actor of a stream's first event: the stream is theirs. They never change. Null in a stream that is only
-- compared with its version, which does not outlive its transaction.
ALTER TABLE synap.streams
  ADD COLUMN user_id    text COLLATE "C",
  ADD COLUMN created_by text COLLATE "C";

UPDATE synap.streams AS s
   SET user_id = e.user_id, created_by = e.created_by
  FROM synap.events AS e
 WHERE e.stream_version = 1 AND e.aggregate_type = s.aggregate_type AND e.aggregate_id = s.aggregate_id;

-- The caller of an append passes them, as it passes the counts and bounds of each stream.
DROP FUNCTION IF EXISTS synap.append_new_events(
  json, text[], text[], integer[], bigint[], bigint[], integer[], integer[], boolean, bigint[]
);

-- Views of the rows of one user or one actor. synap_reader may read them and nothing else: a statement that names a table of
-- the log fails, in place of showing the rows of others.
CREATE SCHEMA synap_visible;

-- If the migrating login may not create roles and the administrator has not created it, the role is missing: then only a caller
-- who may see everything can read (docs/security.md).
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_reader') THEN
    BEGIN
      CREATE ROLE synap_reader NOLOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN
        NULL;
      WHEN insufficient_privilege THEN
        RAISE NOTICE 'role synap_reader could not be created; for reading as one user, an administrator creates it';
    END;
  END IF;
END
$$;

-- Sessions of the application become synap_reader for a transaction. A session is checked by its login, which is a member of
-- synap_app: since PostgreSQL 16 each membership on the way has to allow SET. Nothing is inherited where that can be chosen.
DO $$
DECLARE
  has_set_option CONSTANT boolean := pg_catalog.current_setting('server_version_num')::integer >= 160000;
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_reader') THEN
    -- In synap it may execute one function, which measures the size of a page.
    GRANT USAGE ON SCHEMA synap, synap_visible TO synap_reader;
    IF NOT pg_catalog.pg_has_role('synap_app', 'synap_reader', CASE WHEN has_set_option THEN 'SET' ELSE 'MEMBER' END) THEN
      BEGIN
        EXECUTE 'GRANT synap_reader TO synap_app' || CASE WHEN has_set_option THEN ' WITH SET TRUE, INHERIT FALSE' ELSE '' END;
      EXCEPTION WHEN insufficient_privilege OR unique_violation OR internal_error THEN
        RAISE NOTICE 'role synap_reader could not be granted to synap_app';
      END;
    END IF;
  END IF;
END
$$;
