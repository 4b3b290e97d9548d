-- Passes of handlers that were rolled back and are tried again later: one row for each checkpoint whose last pass
-- failed. The next pass that commits removes it. Events that are tried again while the rest goes on are in
-- synap.held_streams.
CREATE TABLE synap.handler_failures (
  "position"      bigint,
  first_failed_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  failed_at       timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  retry_at        timestamptz(3) NOT NULL,
  attempts        integer        NOT NULL,
  transient       boolean        NOT NULL,
  handler         text           PRIMARY KEY COLLATE "C",
  event_id        text,
  code            text           NOT NULL,
  reason          text           NOT NULL
);

COMMENT ON COLUMN synap.handler_failures.handler IS 'The name of the checkpoint.';
COMMENT ON COLUMN synap.handler_failures.event_id IS 'The event that failed, where it could be isolated.';
COMMENT ON COLUMN synap.handler_failures.attempts IS 'Failed passes in a row.';
GRANT SELECT, INSERT, UPDATE, DELETE ON synap.handler_failures TO synap_app;
