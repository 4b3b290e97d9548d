-- Event types that are registered while Synap runs, without code: each version that was ever registered, with who did it. The current ones
-- are in synap.event_types too, where post_event and readers of SQL find them like those of the code. Rows are never changed: an event names
-- the version that it was checked against.
CREATE TABLE synap.registered_types (
  registered_at  timestamptz(3) NOT NULL DEFAULT now(),
  schema_version integer        NOT NULL CHECK (schema_version > 0),
  name           text           NOT NULL COLLATE "C",
  aggregate_type text           NOT NULL COLLATE "C",
  description    text           NOT NULL,
  registered_by  text           NOT NULL,
  -- json and not jsonb, so that it stays as it was sent.
  json_schema    json           NOT NULL,
  example        json           NOT NULL,
  PRIMARY KEY (name, schema_version)
);

COMMENT ON TABLE synap.registered_types IS 'The versions of event types that are registered at run time.';
COMMENT ON COLUMN synap.registered_types.registered_by IS 'The actor, as createdBy of events has it.';

REVOKE ALL ON synap.registered_types FROM PUBLIC;
GRANT SELECT, INSERT ON synap.registered_types TO synap_app;

ALTER TABLE synap.event_types ADD COLUMN registered boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN synap.event_types.registered IS 'True if the type is registered, and not in the code of the process that last wrote it.';
