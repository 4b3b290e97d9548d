-- Copy of the catalogue of event types, for clients that use SQL. Each process writes its catalogue when it starts
-- (syncEventTypes). The schema is json instead of jsonb because that keeps the order of fields and is the parameter type of
-- pg_jsonschema.
CREATE TABLE synap.event_types (
  updated_at     timestamptz(3) NOT NULL DEFAULT now(),
  name           text           PRIMARY KEY COLLATE "C",
  aggregate_type text           NOT NULL COLLATE "C",
  description    text           NOT NULL,
  release        text           NOT NULL,
  json_schema    json           NOT NULL,
  example        json           NOT NULL
);

COMMENT ON TABLE synap.event_types IS 'Event types with their JSON Schema (draft 2020-12) and an example.';
COMMENT ON COLUMN synap.event_types.release IS 'Release of Synap whose catalogue last changed this row.';

REVOKE ALL ON synap.event_types FROM PUBLIC;
-- Every process writes its catalogue when it starts, under its own login.
GRANT SELECT, INSERT, UPDATE ON synap.event_types TO synap_app;
