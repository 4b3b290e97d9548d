-- Chunks of events that were copied into an archive, and may have been dropped since. Ids, idempotency keys, streams, the append log and the
-- hash chain keep what they have of the events, so that nothing is stored twice and versions go on. Only the owner archives.
CREATE TABLE synap.archived_chunks (
  -- As it was called when it was archived: a restored one has another name.
  chunk          text           PRIMARY KEY COLLATE "C",
  state          text           NOT NULL COLLATE "C" CHECK (state IN ('exporting', 'verified', 'dropped', 'restored')),
  range_start    timestamptz    NOT NULL,
  range_end      timestamptz    NOT NULL,
  -- The events: their number, their bounds, and the SHA-256 over their digests in the order of positions.
  events         bigint         NOT NULL,
  first_position bigint         NOT NULL,
  last_position  bigint         NOT NULL,
  min_timestamp  timestamptz(3) NOT NULL,
  max_timestamp  timestamptz(3) NOT NULL,
  digest         bytea,
  -- Where they are: the archive, its format, and an object with name, bytes and sha256 for each file.
  destination    text           NOT NULL COLLATE "C",
  format         text           NOT NULL COLLATE "C",
  files          jsonb          NOT NULL DEFAULT '[]',
  begun_at       timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  verified_at    timestamptz(3),
  dropped_at     timestamptz(3),
  restored_at    timestamptz(3),
  archived_by    text           NOT NULL COLLATE "C",
  restored_by    text           COLLATE "C",
  -- The event that records it.
  "position"     bigint,
  number         integer        NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE
);

-- The positions of dropped events, in runs between which the log has no other event: whoever reads a range of positions that overlaps one
-- would skip events.
CREATE TABLE synap.archived_ranges (
  first_position bigint NOT NULL,
  last_position  bigint PRIMARY KEY,
  chunk          text   NOT NULL COLLATE "C"
);

-- The blocks of the hash chain whose events are all of one dropped chunk. They can be digested from the archive only.
CREATE TABLE synap.archived_blocks (
  number bigint PRIMARY KEY,
  chunk  text   NOT NULL COLLATE "C"
);

-- The digests of the dropped events of all other blocks, with which the rest of these is verified.
CREATE TABLE synap.archived_digests (
  "position" bigint PRIMARY KEY,
  chunk      text   NOT NULL COLLATE "C",
  digest     bytea  NOT NULL
);

-- What the events of a dropped chunk are about, as hashes (see synap.archive_key): users, flows, causes, creators, types and streams. Whoever asks
-- for the events of one is refused only if a dropped chunk may have some.
CREATE TABLE synap.archived_keys (
  hash  bigint  NOT NULL,
  chunk integer NOT NULL,
  PRIMARY KEY (hash, chunk)
);

GRANT SELECT ON synap.archived_chunks, synap.archived_ranges, synap.archived_blocks, synap.archived_digests, synap.archived_keys
  TO synap_app;
