-- The state of an aggregate at a version, kept so that it need not be folded from its first event each time. An
-- optimisation and nothing else: any row may be deleted at any time. The state is text, because the checksum is taken of
-- its very characters.
CREATE TABLE synap.aggregate_snapshots (
  stream_version bigint         NOT NULL,
  taken_at       timestamptz(3) NOT NULL DEFAULT now(),
  event_id       uuid           NOT NULL,
  aggregate_type text           NOT NULL COLLATE "C",
  aggregate_id   text           NOT NULL COLLATE "C",
  fingerprint    text           NOT NULL,
  checksum       text           NOT NULL,
  state          text           NOT NULL,
  PRIMARY KEY (aggregate_type, aggregate_id)
);

COMMENT ON COLUMN synap.aggregate_snapshots.event_id IS 'The event at that version: a snapshot of another history is not used.';
COMMENT ON COLUMN synap.aggregate_snapshots.fingerprint IS 'Hash of the code and the schemas that made the state.';
GRANT SELECT, INSERT, UPDATE, DELETE ON synap.aggregate_snapshots TO synap_app;
