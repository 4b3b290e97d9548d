-- Returns the hash by which an archived chunk is found that has events of a user, a flow, a stream and so on. As keyOf in
-- src/archive/archive-keys.ts.
CREATE OR REPLACE FUNCTION synap.archive_key(kind text, value text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ('x' || pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to(kind || ':' || value, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint;

REVOKE ALL ON FUNCTION synap.archive_key(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.archive_key(text, text) TO synap_app;
