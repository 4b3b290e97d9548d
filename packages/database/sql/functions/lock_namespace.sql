-- Returns the top byte of the keys of our advisory locks.
CREATE OR REPLACE FUNCTION synap.lock_namespace() RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN 83;

REVOKE ALL ON FUNCTION synap.lock_namespace() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.lock_namespace() TO synap_app;
