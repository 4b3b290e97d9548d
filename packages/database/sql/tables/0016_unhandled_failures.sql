-- What code of handlers left behind and failed later: promises that nothing awaited, exceptions in timers and listeners.
-- One row for each handler, and one under the name '' for failures that could not be attributed. The event was handled
-- before, so there is no dead letter; the processes count the failures here for the status. A count that got nothing for
-- a day begins anew.
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

COMMENT ON COLUMN synap.unhandled_failures.event_id IS 'The first event of the call from which the last failure came.';
COMMENT ON COLUMN synap.unhandled_failures.events IS 'How many events that call was given.';

GRANT SELECT, INSERT, UPDATE ON synap.unhandled_failures TO synap_app;
