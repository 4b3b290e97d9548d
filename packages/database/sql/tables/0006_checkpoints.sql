-- The position of the last event that each handler has processed. The worker that runs the handler locks the row, and
-- updates it in the transaction of the handler's own writes.
CREATE TABLE synap.checkpoints (
  "position" bigint         NOT NULL,
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  handler    text           PRIMARY KEY COLLATE "C"
) WITH (fillfactor = 80);

GRANT SELECT, INSERT, UPDATE ON synap.checkpoints TO synap_app;
