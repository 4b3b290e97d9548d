-- Returns the hash by which the id of a purged event is recognised.
CREATE OR REPLACE FUNCTION synap.purged_id_hash(id uuid) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.sha256(pg_catalog.uuid_send(id));

REVOKE ALL ON FUNCTION synap.purged_id_hash(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.purged_id_hash(uuid) TO synap_app;
