-- Failures of handler code after its call had returned: promises that nothing awaited, exceptions in timers and listeners.
-- One row per handler, and one under the name '' for failures that could not be attributed. The event was processed before,
-- so there is no dead letter; the status reports these counts. A count without a failure for a day is reset.
CREATE TABLE synap.unhandled_failures (
  failures        bigint         NOT NULL,
  "position"      bigint,
  first_failed_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  last_failed_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  events          integer        NOT NULL,
  handler         text           PRIMARY KEY COLLATE "C",
  kind            text           NOT NULL CHECK (kind IN ('rejection', 'exception')),
  event_id        text,
  code            text           NOT NULL,
  reason          text           NOT NULL
);

COMMENT ON COLUMN synap.unhandled_failures.event_id IS 'First event of the call that caused the last failure.';
COMMENT ON COLUMN synap.unhandled_failures.events IS 'Number of events in that call.';

GRANT SELECT, INSERT, UPDATE ON synap.unhandled_failures TO synap_app;
