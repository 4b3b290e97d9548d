-- What must be unique over all time can't be a unique index of the hypertable, which only knows each chunk: a unique
-- (id, timestamp) would store an event twice when it is sent again with another timestamp. So the identities live in
-- ordinary tables, written in the event's own transaction. They also find an event without touching every chunk.
CREATE TABLE synap.event_ids (
  id             uuid           PRIMARY KEY,
  "timestamp"    timestamptz(3) NOT NULL,
  "position"     bigint         NOT NULL,
  stream_version bigint         NOT NULL
);

-- A key belongs to whoever created the event: two agents may use the same one without knowing of each other.
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
