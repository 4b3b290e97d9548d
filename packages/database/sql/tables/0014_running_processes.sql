-- Running API and worker processes with their event types, which they compare: an event type known to an API and not to a
-- worker would be accepted and not stored. A process inserts its row when it starts, updates it every few seconds as a
-- heartbeat, and deletes it when it stops; an outdated row belongs to a process that died.
CREATE TABLE synap.running_processes (
  started_at  timestamptz(3) NOT NULL DEFAULT now(),
  seen_at     timestamptz(3) NOT NULL DEFAULT now(),
  instance    text           PRIMARY KEY COLLATE "C",
  role        text           NOT NULL CHECK (role IN ('api', 'worker')),
  release     text           NOT NULL,
  -- Hash of the event types and their schemas.
  fingerprint text           NOT NULL,
  -- An object that maps the name of each event type to a hash of its schema.
  event_types json           NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON synap.running_processes TO synap_app;
