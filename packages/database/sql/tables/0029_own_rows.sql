-- Views of the rows of one user or one actor over read models. Each has the name of the view in synap_read that it limits, so that a
-- statement needs another schema and no other name. The application makes those of its projections, with the builds.
CREATE SCHEMA synap_read_of_user;

CREATE SCHEMA synap_read_of_creator;

GRANT USAGE, CREATE ON SCHEMA synap_read_of_user, synap_read_of_creator TO synap_app;

-- Without the role, only a caller who may see everything can read (0023).
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'synap_reader') THEN
    GRANT USAGE ON SCHEMA synap_read_of_user, synap_read_of_creator TO synap_reader;
  END IF;
END
$$;
