-- One row, from which a standby knows how far it may read: every append up to "number" is committed, or never will be. It is written
-- behind the watermark, and a standby replays commits in their order, so one that shows the row shows those appends. Only
-- synap.advance_read_horizon writes here.
CREATE TABLE synap.read_horizon (
  number  bigint NOT NULL,
  -- The server, database and timeline that wrote the row; see synap.database_history.
  history text   NOT NULL COLLATE "C"
) WITH (fillfactor = 10);

INSERT INTO synap.read_horizon (number, history) VALUES (0, '');

GRANT SELECT ON synap.read_horizon TO synap_app;
