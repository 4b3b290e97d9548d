-- How long the events of a type are kept, for types whose events need not be kept. Each change is a new row and ends the last one, so that who
-- decided what, when and why stays.
CREATE TABLE synap.retention_policies (
  id            bigint         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  set_at        timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  ended_at      timestamptz(3),
  keep_days     integer        NOT NULL CHECK (keep_days BETWEEN 1 AND 36500),
  -- Whether read models are built anew without the events, as after a purge.
  forgets       boolean        NOT NULL,
  event_type    text           NOT NULL COLLATE "C",
  set_by        text           NOT NULL COLLATE "C",
  reason        text           NOT NULL,
  ended_by      text           COLLATE "C",
  CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);

-- The policy of a type that is in force.
CREATE UNIQUE INDEX retention_policies_in_force ON synap.retention_policies (event_type) WHERE ended_at IS NULL;

-- True for events that were removed because of their age: what was made of them stays.
ALTER TABLE synap.purges ADD COLUMN keeps_copies boolean NOT NULL DEFAULT false;
