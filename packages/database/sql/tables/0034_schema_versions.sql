-- The version of its type's schema that an event was written with. Null for version 1: that of all events before, and of writers
-- that know of no versions, so that nothing changes for them.
ALTER TABLE synap.events ADD COLUMN schema_version integer;

-- The current version of each type, and for each version before it, in their order, how the database checks its data:
-- { jsonSchema, checkPlan, unchecked }, as the columns of these names have it for the current one.
ALTER TABLE synap.event_types
  ADD COLUMN schema_version integer NOT NULL DEFAULT 1,
  ADD COLUMN earlier        jsonb   NOT NULL DEFAULT '[]';

COMMENT ON COLUMN synap.event_types.schema_version IS 'Version of json_schema.';
COMMENT ON COLUMN synap.event_types.earlier IS 'The schemas of the versions before it.';

-- It takes the version as a further argument.
DROP FUNCTION IF EXISTS synap.post_event(
  text, jsonb, text, text, text, text, text, uuid, text, text, uuid, timestamptz, jsonb, text, text, timestamptz, timestamptz
);
