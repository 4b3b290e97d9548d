-- Returns the lower bound of an append's number, which is in the lowest 43 bits of the key of its advisory lock. pg_locks
-- shows the 64 bits of a key as two halves. PostgreSQL inlines this function.
CREATE OR REPLACE FUNCTION synap.append_start_of(key_high oid, key_low oid) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN ((key_high::bigint & 2047) << 32) | key_low::bigint;

REVOKE ALL ON FUNCTION synap.append_start_of(oid, oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.append_start_of(oid, oid) TO synap_app;
