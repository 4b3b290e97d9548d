-- Returns the hash by which the idempotency key of a purged event is recognised; null without a key. The length of the creator's
-- name keeps two pairs from having one text.
CREATE OR REPLACE FUNCTION synap.purged_key_hash(creator text, key text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.length(creator)::text || ' ' || creator || ' ' || key, 'UTF8'));

REVOKE ALL ON FUNCTION synap.purged_key_hash(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.purged_key_hash(text, text) TO synap_app;
