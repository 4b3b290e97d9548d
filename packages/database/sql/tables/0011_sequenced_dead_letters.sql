-- Dead letters preserve the order of streams: for the handler that failed, the later events of the same stream wait until
-- an operator retries or skips the event.
ALTER TABLE synap.dead_letters
  -- The held stream. Null for dead letters that are not stored events.
  ADD COLUMN aggregate_type text COLLATE "C",
  ADD COLUMN aggregate_id   text COLLATE "C",
  -- The operator's decision: when, who and why.
  ADD COLUMN resolved_at    timestamptz(3),
  ADD COLUMN resolved_by    text,
  ADD COLUMN resolution     text;

-- Held streams of each handler: they wait for a decision on a dead letter, or for a retry of their first parked event
-- (retry_at). With neither, their parked events are being processed, and new events are still parked behind them.
CREATE TABLE synap.held_streams (
  dead_letter_id  bigint REFERENCES synap.dead_letters (id),
  -- The event to be retried, the time of the next retry and the failures so far. Null unless the stream waits for a retry.
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

-- Streams that may continue.
CREATE INDEX held_streams_released ON synap.held_streams (handler) WHERE dead_letter_id IS NULL;

-- Events of held streams, complete, as the handler will receive them. The type is json for the same reason as in dead_letters.
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

-- A parked event can't be changed.
GRANT SELECT, INSERT, DELETE ON synap.parked_events TO synap_app;
