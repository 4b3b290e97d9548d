-- The API and worker processes that run, and the event types that each of them knows. A type that an API takes and a
-- worker does not know would be accepted and not stored, so they compare. A process writes its row when it starts, says
-- every few seconds that it still runs, and removes the row when it stops; a row that nobody has touched for a while is
-- that of a process that died.
CREATE TABLE synap.running_processes (
  started_at  timestamptz(3) NOT NULL DEFAULT now(),
  seen_at     timestamptz(3) NOT NULL DEFAULT now(),
  instance    text           PRIMARY KEY COLLATE "C",
  role        text           NOT NULL CHECK (role IN ('api', 'worker')),
  release     text           NOT NULL,
  -- The same for the same event types with the same schemas.
  fingerprint text           NOT NULL,
  -- An object: the name of each event type, and a hash of its schema.
  event_types json           NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON synap.running_processes TO synap_app;
