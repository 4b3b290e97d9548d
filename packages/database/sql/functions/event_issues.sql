-- Returns the validation issues of a complete event, for the SQL API. The checks and codes are those of @synap/types, which a
-- test compares. The timestamp may be at most 7 days before and 5 minutes after the clock of the database.
CREATE OR REPLACE FUNCTION synap.event_issues(event jsonb) RETURNS TABLE (path text, code text, reason text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  known       synap.event_types;
  happened_at CONSTANT timestamptz := event ->> 'timestamp';
  valid_from  CONSTANT timestamptz := event ->> 'validFrom';
  valid_to    CONSTANT timestamptz := event ->> 'validTo';
  size        CONSTANT integer := synap.event_bytes(event);
  written_as  CONSTANT integer := coalesce((event ->> 'schemaVersion')::integer, 1);
  earlier     jsonb;
BEGIN
  SELECT t.* INTO known FROM synap.event_types AS t WHERE t.name = event ->> 'type';
  -- Data of an earlier version is checked as that version has it.
  IF written_as BETWEEN 1 AND known.schema_version - 1 THEN
    earlier := known.earlier -> (written_as - 1);
    known.check_plan := nullif(earlier -> 'checkPlan', 'null');
    known.unchecked := earlier ->> 'unchecked';
  END IF;

  RETURN QUERY
  SELECT 'type', 'missing', 'is required' WHERE event ->> 'type' IS NULL
  UNION ALL
  SELECT 'type', 'too-big', 'must have at most 128 characters' WHERE length(event ->> 'type') > 128
  UNION ALL
  SELECT 'type', 'wrong-format', 'must have the form aggregate.action[.more] in lower case'
   WHERE event ->> 'type' !~ '^[a-z][a-z0-9_-]*([.][a-z][a-z0-9_-]*)+$'
  UNION ALL
  SELECT 'type', 'unknown-event-type', format('names "%s", which is not in the catalogue', left(event ->> 'type', 128))
   WHERE event ->> 'type' IS NOT NULL AND known.name IS NULL
  UNION ALL
  SELECT 'schemaVersion', 'too-small', 'must be at least 1' WHERE written_as < 1
  UNION ALL
  SELECT 'schemaVersion', 'too-big', 'must be at most 1000' WHERE written_as > 1000
  UNION ALL
  SELECT 'schemaVersion', 'schema-version-newer',
         format('is %s, but the newest version of "%s" here is %s', written_as, known.name, known.schema_version)
   WHERE written_as BETWEEN known.schema_version + 1 AND 1000
  UNION ALL
  SELECT 'aggregateType', 'too-big', 'must have at most 64 characters'
   WHERE length(event ->> 'aggregateType') > 64
  UNION ALL
  SELECT 'aggregateType', 'wrong-format', 'must be lower case letters, digits, _ and -'
   WHERE event ->> 'aggregateType' !~ '^[a-z][a-z0-9_-]*$'
  UNION ALL
  SELECT 'aggregateType', 'aggregate-type-mismatch',
         format('"%s" belongs to the aggregate type "%s"', event ->> 'type', known.aggregate_type)
   WHERE event ->> 'aggregateType' <> known.aggregate_type
  UNION ALL
  SELECT f.path, 'wrong-format', 'must be a UUID of RFC 9562'
    FROM (VALUES ('id'), ('causationId')) AS f(path)
   WHERE NOT synap.is_event_id(event ->> f.path)
  UNION ALL
  SELECT i.*
    FROM (VALUES ('aggregateId', 128), ('userId', 128), ('createdBy', 134), ('source', 64), ('requestId', 128),
                 ('correlationId', 128), ('idempotencyKey', 255)) AS f(path, longest)
   CROSS JOIN LATERAL synap.text_issues(event ->> f.path, f.path, f.longest) AS i
  UNION ALL
  SELECT 'aggregateId', 'invalid', 'must not be . or .., which are steps in a path'
   WHERE event ->> 'aggregateId' IN ('.', '..')
  UNION ALL
  SELECT 'createdBy', 'wrong-format', 'must be user:{id}, agent:{name} or system'
   WHERE event ->> 'createdBy' <> 'system'
     AND (event ->> 'createdBy' !~ '^(user|agent):'
          OR synap.utf16_length(substring(event ->> 'createdBy' FROM ':(.*)$')) NOT BETWEEN 1 AND 128)
  UNION ALL
  SELECT i.*
    FROM (VALUES (happened_at, 'timestamp'), (valid_from, 'validFrom'), (valid_to, 'validTo')) AS f(value, path)
   CROSS JOIN LATERAL synap.moment_issues(f.value, f.path) AS i
  UNION ALL
  SELECT 'timestamp', 'timestamp-too-late', 'is more than 5 minutes ahead of the receiver''s clock'
   WHERE happened_at > clock_timestamp() + interval '5 minutes'
  UNION ALL
  SELECT 'timestamp', 'timestamp-too-old', 'is older than 7 days: send old events as a backfill'
   WHERE happened_at < clock_timestamp() - interval '168 hours'
  UNION ALL
  SELECT 'validTo', 'validity-empty', 'must be later than validFrom' WHERE valid_from >= valid_to
  UNION ALL
  SELECT 'data', 'missing', 'is required' WHERE event -> 'data' IS NULL
  UNION ALL
  SELECT f.path, 'wrong-type', 'must be a JSON object'
    FROM (VALUES ('data'), ('metadata')) AS f(path)
   WHERE jsonb_typeof(event -> f.path) <> 'object'
  UNION ALL
  SELECT i.* FROM synap.data_issues(event -> 'data', known) AS i
   WHERE jsonb_typeof(event -> 'data') = 'object' AND (known.name IS NULL OR written_as BETWEEN 1 AND known.schema_version)
  UNION ALL
  -- Most often a sender has left the version out.
  SELECT 'schemaVersion', 'schema-version-older',
         format('is %s; the current version of "%s" is %s', written_as, known.name, known.schema_version)
   WHERE written_as BETWEEN 1 AND known.schema_version - 1 AND jsonb_typeof(event -> 'data') = 'object'
     AND NOT EXISTS (SELECT FROM synap.json_issues(event -> 'data', 'data'))
     AND EXISTS (SELECT FROM synap.data_issues(event -> 'data', known))
  UNION ALL
  SELECT i.* FROM synap.json_issues(event -> 'metadata', 'metadata') AS i WHERE jsonb_typeof(event -> 'metadata') = 'object'
  UNION ALL
  SELECT 'metadata.retracts', 'amendment-invalid', 'cannot be given together with corrects'
   WHERE event -> 'metadata' ?& ARRAY['corrects', 'retracts']
  UNION ALL
  SELECT 'metadata.' || f.name, 'amendment-invalid', 'must be the id of an event, a UUID in lower case'
    FROM (VALUES ('corrects'), ('retracts')) AS f(name)
   WHERE event -> 'metadata' ? f.name AND NOT event -> 'metadata' ?& ARRAY['corrects', 'retracts']
     AND synap.amended_event(event -> 'metadata') IS NULL
  UNION ALL
  SELECT '', 'event-too-large',
         format('takes %s bytes as JSON with numbers written out in full; at most 245760 are allowed', size)
   WHERE size > 245760;
END
$$;

REVOKE ALL ON FUNCTION synap.event_issues(jsonb) FROM PUBLIC;
