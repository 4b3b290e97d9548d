-- The hash chain over the log, which shows whether a stored event was changed, added or removed past the append functions: blocks of
-- events in the order of their positions, each with a digest of its events and a hash over itself and the block before it. Only
-- synap.extend_chain writes here; docs/verifying-the-log.md says what this proves and what it doesn't.
CREATE TABLE synap.chain_blocks (
  number        bigint         PRIMARY KEY,
  -- A block has the events after the last position of the block before it, up to this one.
  last_position bigint         NOT NULL,
  -- Number of events according to the append log.
  events        bigint         NOT NULL,
  min_timestamp timestamptz(3) NOT NULL,
  max_timestamp timestamptz(3) NOT NULL,
  digest        bytea          NOT NULL,
  hash          bytea          NOT NULL
);

-- Block 0 is before the first event, so that every other block has one before it.
INSERT INTO synap.chain_blocks (number, last_position, events, min_timestamp, max_timestamp, digest, hash)
VALUES (0, 0, 0, 'epoch', 'epoch', '', pg_catalog.sha256(''));

-- One row: the number of the last block.
CREATE TABLE synap.chain_end (
  number bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO synap.chain_end (number) VALUES (0);

-- The chunks that the chain has met, with the number of its events in each. A chunk that is here and not in the database was dropped.
CREATE TABLE synap.chained_chunks (
  chunk         text           PRIMARY KEY COLLATE "C",
  events        bigint         NOT NULL,
  min_timestamp timestamptz(3) NOT NULL,
  max_timestamp timestamptz(3) NOT NULL
) WITH (fillfactor = 80);

-- Results of verifying the chain, the newest for the status and the metrics.
CREATE TABLE synap.chain_verifications (
  id            bigint         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  verified_at   timestamptz(3) NOT NULL DEFAULT now(),
  last_block    bigint         NOT NULL,
  last_position bigint         NOT NULL,
  events        bigint         NOT NULL,
  faults        bigint         NOT NULL
);

GRANT SELECT ON synap.chain_blocks, synap.chain_end, synap.chained_chunks, synap.chain_verifications TO synap_app;
GRANT INSERT (last_block, last_position, events, faults) ON synap.chain_verifications TO synap_app;
