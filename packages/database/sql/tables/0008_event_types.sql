-- The event types that the running release knows, for clients that use SQL. Written when a process starts
-- (syncEventTypes); the truth is the catalogue in the code. The schema is json, not jsonb: it keeps the order of its
-- fields, and is the type that pg_jsonschema takes.
CREATE TABLE synap.event_types (
  updated_at     timestamptz(3) NOT NULL DEFAULT now(),
  name           text           PRIMARY KEY COLLATE "C",
  aggregate_type text           NOT NULL COLLATE "C",
  description    text           NOT NULL,
  release        text           NOT NULL,
  json_schema    json           NOT NULL,
  example        json           NOT NULL
);

COMMENT ON TABLE synap.event_types IS 'What kinds of event there are: their JSON Schema (draft 2020-12) and an example.';
COMMENT ON COLUMN synap.event_types.release IS 'The release of Synap whose catalogue last changed this row.';

REVOKE ALL ON synap.event_types FROM PUBLIC;
-- Every process writes its catalogue when it starts, under whatever login it runs.
GRANT SELECT, INSERT, UPDATE ON synap.event_types TO synap_app;
