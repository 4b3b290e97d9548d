-- One row for each Inngest app whose functions a worker has registered with the broker. Until then a broker takes
-- envelopes and starts nothing for them, so the API takes no events.
CREATE TABLE synap.function_registrations (
  registered_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  app           text           PRIMARY KEY COLLATE "C"
);

GRANT SELECT, INSERT, UPDATE ON synap.function_registrations TO synap_app;
