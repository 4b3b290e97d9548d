-- One row for each stream, holding the version of its last event: the row whose lock decides who appends next.
-- Rows are updated all the time and no index holds what changes, so the free space lets PostgreSQL update in place.
-- The two times bound when the stream's events happened (they may be too wide, never too narrow): with a thousand chunks,
-- planning for all of them costs more than reading a stream, and most streams live within a few.
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
