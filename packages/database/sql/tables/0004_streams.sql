-- One row per stream, with the version of its last event. Appends to a stream are serialised by its row lock. Rows are
-- updated often and no index covers the changing columns, so the fillfactor makes room for HOT updates. first_timestamp and
-- last_timestamp bound the times of the stream's events (possibly too widely, never too narrowly): with a thousand chunks,
-- planning for all of them costs more than reading a stream, and most streams lie within a few.
CREATE TABLE synap.streams (
  version         bigint         NOT NULL,
  first_timestamp timestamptz(3) NOT NULL,
  last_timestamp  timestamptz(3) NOT NULL,
  closed_at       timestamptz(3),
  aggregate_type  text           NOT NULL COLLATE "C",
  aggregate_id    text           NOT NULL COLLATE "C",
  PRIMARY KEY (aggregate_type, aggregate_id)
) WITH (fillfactor = 80);

GRANT SELECT ON synap.streams TO synap_app;
