-- Snapshots: the state of an aggregate at a version, so that loading it needn't fold every event. Only a cache: any row may
-- be deleted at any time. The state is text because the checksum covers its exact characters.
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

COMMENT ON COLUMN synap.aggregate_snapshots.event_id IS 'The event at that version; a snapshot of another history is not used.';
COMMENT ON COLUMN synap.aggregate_snapshots.fingerprint IS 'Hash of the code and the schemas that produced the state.';
GRANT SELECT, INSERT, UPDATE, DELETE ON synap.aggregate_snapshots TO synap_app;
