-- Inngest apps whose functions a worker has registered with the broker. Before that, a broker would accept envelopes and
-- start nothing for them, so the API accepts no events.
CREATE TABLE synap.function_registrations (
  registered_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  app           text           PRIMARY KEY COLLATE "C"
);

GRANT SELECT, INSERT, UPDATE ON synap.function_registrations TO synap_app;
