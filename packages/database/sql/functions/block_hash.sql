-- Returns the hash of a block of the chain: SHA-256 over the hash of the block before it and over its own columns.
CREATE OR REPLACE FUNCTION synap.block_hash(hash_before bytea, block synap.chain_blocks) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT pg_catalog.sha256(hash_before || pg_catalog.convert_to(pg_catalog.concat_ws(
    ' ', block.number, block.last_position, block.events, (extract(epoch FROM block.min_timestamp) * 1000)::bigint,
    (extract(epoch FROM block.max_timestamp) * 1000)::bigint, pg_catalog.encode(block.digest, 'hex')
  ), 'UTF8'))
$$;

REVOKE ALL ON FUNCTION synap.block_hash(bytea, synap.chain_blocks) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.block_hash(bytea, synap.chain_blocks) TO synap_app;
