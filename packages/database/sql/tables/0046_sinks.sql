-- Sinks write to systems outside of this database, and hold no transaction here while they do. One process at a time runs a
-- sink: the one whose lease has not ended. Its progress is in synap.checkpoints, under its name.
CREATE TABLE synap.sinks (
  leased_until timestamptz(3) NOT NULL,
  -- The process that runs it; null after that has stopped.
  runner       uuid,
  name         text           PRIMARY KEY COLLATE "C"
);

GRANT SELECT, INSERT, UPDATE ON synap.sinks TO synap_app;
