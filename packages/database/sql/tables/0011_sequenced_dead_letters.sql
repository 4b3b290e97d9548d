-- Dead letters keep the order of streams: an event that a handler could not deal with holds back the later events of
-- its own stream, for that handler alone, until somebody has the event tried again or skips it.
ALTER TABLE synap.dead_letters
  -- The stream that waits. Null for dead letters that are no stored event, and for those from before this migration.
  ADD COLUMN aggregate_type text COLLATE "C",
  ADD COLUMN aggregate_id   text COLLATE "C",
  -- Who decided, when, and why.
  ADD COLUMN resolved_at    timestamptz(3),
  ADD COLUMN resolved_by    text,
  ADD COLUMN resolution     text;

-- The streams that wait, for each handler: for a decision on a dead letter, or for another attempt at their first
-- parked event (retry_at). With neither, what is parked is being handled; new events still go behind it.
CREATE TABLE synap.held_streams (
  dead_letter_id  bigint REFERENCES synap.dead_letters (id),
  -- The event that is tried again, when next, and what happened so far. Null unless the stream waits for that.
  "position"      bigint,
  retry_at        timestamptz(3),
  first_failed_at timestamptz(3),
  failed_at       timestamptz(3),
  attempts        integer,
  transient       boolean,
  handler         text   NOT NULL COLLATE "C",
  aggregate_type  text   NOT NULL COLLATE "C",
  aggregate_id    text   NOT NULL COLLATE "C",
  event_id        text,
  code            text,
  reason          text,
  PRIMARY KEY (handler, aggregate_type, aggregate_id),
  CHECK (dead_letter_id IS NULL OR retry_at IS NULL)
);

-- "Which stream may go on?"
CREATE INDEX held_streams_released ON synap.held_streams (handler) WHERE dead_letter_id IS NULL;

-- The waiting events, whole, as the handler will receive them. The type is json for the same reason as in dead_letters.
CREATE TABLE synap.parked_events (
  "position"     bigint         NOT NULL,
  parked_at      timestamptz(3) NOT NULL DEFAULT now(),
  handler        text           NOT NULL COLLATE "C",
  aggregate_type text           NOT NULL COLLATE "C",
  aggregate_id   text           NOT NULL COLLATE "C",
  event          json           NOT NULL,
  PRIMARY KEY (handler, aggregate_type, aggregate_id, "position")
);

GRANT UPDATE (aggregate_type, aggregate_id, resolved_at, resolved_by, resolution) ON synap.dead_letters TO synap_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON synap.held_streams TO synap_app;

-- A parked event stays as it is until it is handled.
GRANT SELECT, INSERT, DELETE ON synap.parked_events TO synap_app;
