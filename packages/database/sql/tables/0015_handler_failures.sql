-- Failed passes: one row per checkpoint whose last pass was rolled back and will be retried. The next pass that commits
-- deletes it. Events that are retried while the other streams continue are in synap.held_streams.
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

COMMENT ON COLUMN synap.handler_failures.handler IS 'Name of the checkpoint.';
COMMENT ON COLUMN synap.handler_failures.event_id IS 'The event that failed, if it could be isolated.';
COMMENT ON COLUMN synap.handler_failures.attempts IS 'Number of consecutive failed passes.';
GRANT SELECT, INSERT, UPDATE, DELETE ON synap.handler_failures TO synap_app;
