-- How far each handler has come: the position of the last event it has dealt with. The row is locked by the worker
-- that runs the handler, and moves in the same transaction as the handler's own writes.
CREATE TABLE synap.checkpoints (
  "position" bigint         NOT NULL,
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  handler    text           PRIMARY KEY COLLATE "C"
) WITH (fillfactor = 80);

GRANT SELECT, INSERT, UPDATE ON synap.checkpoints TO synap_app;
