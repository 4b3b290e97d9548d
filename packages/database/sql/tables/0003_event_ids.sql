-- Unique event ids. A unique index of the hypertable covers each chunk by itself: unique (id, timestamp) would store an
-- event twice when it is sent again with another timestamp. Ids and keys are therefore in ordinary tables, written in the
-- event's own transaction, which also find an event without reading every chunk.
CREATE TABLE synap.event_ids (
  id             uuid           PRIMARY KEY,
  "timestamp"    timestamptz(3) NOT NULL,
  "position"     bigint         NOT NULL,
  stream_version bigint         NOT NULL
);

-- Unique idempotency keys, per creator, so that independent agents may use the same one.
CREATE TABLE synap.idempotency_keys (
  created_by     text           NOT NULL COLLATE "C",
  key            text           NOT NULL COLLATE "C",
  event_id       uuid           NOT NULL,
  "timestamp"    timestamptz(3) NOT NULL,
  "position"     bigint         NOT NULL,
  stream_version bigint         NOT NULL,
  PRIMARY KEY (created_by, key)
);

GRANT SELECT ON synap.event_ids, synap.idempotency_keys TO synap_app;
