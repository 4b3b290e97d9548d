-- The rules of an event, for the SQL door: the same as @synap/types checks, with the same codes, except for the schema
-- of the data, which only the server's pg_jsonschema can check. A test holds both doors against each other.

-- The length as a regular expression of JavaScript counts it: a character beyond U+FFFF is two. Only the name in
-- "createdBy" is measured so; all other lengths are characters, in both doors.
CREATE FUNCTION synap.utf16_length(value text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT length(value) + length(regexp_replace(value, '[^\U00010000-\U0010FFFF]', '', 'g'))
$$;

-- A UUID of RFC 9562, or the nil or the max one.
CREATE FUNCTION synap.is_event_id(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT value ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
      OR value = '00000000-0000-0000-0000-000000000000'
      OR value = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
$$;

-- A fresh id, UUID version 7: ids made later sort later.
CREATE FUNCTION synap.create_event_id() RETURNS uuid
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT encode(
           set_byte(
             overlay(
               uuid_send(gen_random_uuid())
               PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6
             ),
             6, (get_byte(uuid_send(gen_random_uuid()), 0) & 15) | 112
           ), 'hex')::uuid
$$;

-- The size of an event as everywhere in Synap: its JSON in UTF-8 without spaces, each time with milliseconds and a "Z".
-- PostgreSQL puts a space behind colons and commas, at most a third of the text, so only what is near the limit of
-- 245,760 bytes is rewritten to be measured.
CREATE FUNCTION synap.event_bytes(event jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
           WHEN octet_length(printed) NOT BETWEEN 245761 AND 2 * 245760 THEN octet_length(printed)
           ELSE octet_length(regexp_replace(printed, '("(?:[^"\\]|\\.)*")| ', '\1', 'g'))
         END
    FROM (
      SELECT (event || coalesce(jsonb_object_agg(f.name, repeat('x', 24)), '{}'))::text AS printed
        FROM unnest(ARRAY['timestamp', 'validFrom', 'validTo']) AS f(name)
       WHERE event ? f.name
    ) AS e
$$;

-- Why a JSON number would not come back from JavaScript as it was sent; null when it would.
CREATE FUNCTION synap.number_fault(value numeric) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
AS $$
  SELECT CASE
    WHEN abs(value) > 1.7976931348623157e308 THEN 'non-finite-number'
    WHEN value = trunc(value) AND abs(value) > 9007199254740991 THEN 'unsafe-integer'
    WHEN value = 0 THEN NULL
    WHEN abs(value) < 4.9e-324 THEN 'inexact-number'
    -- The shortest text of a double, or all the 17 digits that some programs write.
    WHEN value::float8::text::numeric = value THEN NULL
    WHEN length(trim(BOTH '0' FROM translate(value::text, '-.', ''))) <= 17 THEN NULL
    ELSE 'inexact-number'
  END
$$;

-- What in "root" would not survive JavaScript unchanged, or is too much: at most 32 levels, 50,000 values.
CREATE FUNCTION synap.json_issues(root jsonb, at text) RETURNS TABLE (path text, code text, reason text)
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE walk AS (
    SELECT at AS path, root AS value, NULL::text AS key, 1 AS depth
    UNION ALL
    SELECT child.path, child.value, child.key, walk.depth + 1
      FROM walk
     CROSS JOIN LATERAL (
       SELECT CASE
                WHEN length(o.key) > 64 THEN format('%s[%s]', walk.path, to_json(left(o.key, 64) || '…'))
                WHEN o.key ~ '^[A-Za-z_$][A-Za-z0-9_$]*$' THEN walk.path || '.' || o.key
                ELSE format('%s[%s]', walk.path, to_json(o.key))
              END AS path,
              o.value, o.key
         FROM jsonb_each(CASE WHEN jsonb_typeof(walk.value) = 'object' THEN walk.value ELSE '{}' END) AS o
       UNION ALL
       SELECT format('%s[%s]', walk.path, a.place - 1), a.value, NULL
         FROM jsonb_array_elements(CASE WHEN jsonb_typeof(walk.value) = 'array' THEN walk.value ELSE '[]' END)
              WITH ORDINALITY AS a(value, place)
     ) AS child
     WHERE walk.depth <= 32
       AND jsonb_typeof(walk.value) IN ('object', 'array')
  ),
  seen AS MATERIALIZED (
    SELECT walk.*, jsonb_typeof(walk.value) AS kind FROM walk LIMIT 50001
  ),
  judged AS (
    SELECT seen.*,
           CASE WHEN kind = 'number' THEN synap.number_fault((value #>> '{}')::numeric) END AS fault
      FROM seen
  )
  SELECT at, 'too-many-values', 'holds more than 50000 values'
   WHERE (SELECT count(*) FROM seen) > 50000
  UNION ALL
  SELECT path, 'too-deep', 'is nested deeper than 32 levels' FROM judged
   WHERE depth > 32 AND kind IN ('object', 'array')
  UNION ALL
  SELECT path, 'prototype-key', 'a field may not be named __proto__' FROM judged WHERE key = '__proto__'
  UNION ALL
  SELECT path, fault,
         CASE fault
           WHEN 'unsafe-integer' THEN 'is a whole number beyond 9007199254740991, which loses digits: send it as text'
           WHEN 'non-finite-number' THEN 'is not a finite number'
           ELSE 'has more digits than a JavaScript number keeps: round it, or send it as text'
         END
    FROM judged WHERE fault IS NOT NULL
$$;

-- One field of text: 1 to "longest" characters.
CREATE FUNCTION synap.text_issues(value text, at text, longest integer) RETURNS TABLE (path text, code text, reason text)
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT at, 'too-small', 'must not be empty' WHERE value = ''
  UNION ALL
  SELECT at, 'too-big', format('must have at most %s characters', longest) WHERE length(value) > longest
$$;

-- One moment: no finer than a millisecond, in the years that can be written down.
CREATE FUNCTION synap.moment_issues(value timestamptz, at text) RETURNS TABLE (path text, code text, reason text)
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT at, 'timestamp-out-of-range', 'is outside the years 1970 to 9999 in UTC'
   WHERE value < '1970-01-01 00:00:00+00' OR value >= '10000-01-01 00:00:00+00'
  UNION ALL
  SELECT at, 'timestamp-too-precise',
         'is finer than a millisecond, which would be lost: use date_trunc(''milliseconds'', ...)'
   WHERE isfinite(value) AND extract(microseconds FROM value)::bigint % 1000 <> 0
$$;

-- The function that checks data against a JSON Schema: that of the extension pg_jsonschema, where the server has it.
CREATE FUNCTION synap.json_schema_check() RETURNS regprocedure
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT to_regprocedure(format('%I.jsonb_matches_schema(json,jsonb)', n.nspname))
    FROM pg_extension AS e
    JOIN pg_namespace AS n ON n.oid = e.extnamespace
   WHERE e.extname = 'pg_jsonschema'
$$;

-- Data against the schema of its type. Says nothing where the server can't tell.
CREATE FUNCTION synap.schema_issues(data jsonb, schema json) RETURNS TABLE (path text, code text, reason text)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  checker CONSTANT regproc := synap.json_schema_check()::oid;
  matches boolean;
BEGIN
  IF checker IS NULL THEN
    RETURN;
  END IF;
  -- A regproc writes itself as a name that can be called.
  EXECUTE format('SELECT %s($1, $2)', checker) INTO matches USING schema, data;
  IF matches IS NOT TRUE THEN
    RETURN QUERY VALUES ('data'::text, 'schema-mismatch'::text, 'does not satisfy the JSON Schema of its event type'::text);
  END IF;
END
$$;

-- Everything that is wrong with an event, which must be complete. Times are held against the clock of the database:
-- at most 7 days old, at most 5 minutes ahead.
CREATE FUNCTION synap.event_issues(event jsonb) RETURNS TABLE (path text, code text, reason text)
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
BEGIN
  SELECT t.* INTO known FROM synap.event_types AS t WHERE t.name = event ->> 'type';

  RETURN QUERY
  SELECT 'type', 'missing', 'is required' WHERE event ->> 'type' IS NULL
  UNION ALL
  SELECT 'type', 'too-big', 'must have at most 128 characters' WHERE length(event ->> 'type') > 128
  UNION ALL
  SELECT 'type', 'wrong-format', 'must read aggregate.action[.more] in lower case'
   WHERE event ->> 'type' !~ '^[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+$'
  UNION ALL
  SELECT 'type', 'unknown-event-type', format('"%s" is not in the catalogue', left(event ->> 'type', 128))
   WHERE event ->> 'type' IS NOT NULL AND known.name IS NULL
  UNION ALL
  SELECT 'aggregateType', 'too-big', 'must have at most 64 characters'
   WHERE length(event ->> 'aggregateType') > 64
  UNION ALL
  SELECT 'aggregateType', 'wrong-format', 'must be lower case letters, digits, _ and -'
   WHERE event ->> 'aggregateType' !~ '^[a-z][a-z0-9_-]*$'
  UNION ALL
  SELECT 'aggregateType', 'aggregate-type-mismatch',
         format('"%s" happens to the aggregate type "%s"', event ->> 'type', known.aggregate_type)
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
  SELECT i.*
    FROM (VALUES ('data'), ('metadata')) AS f(path)
   CROSS JOIN LATERAL synap.json_issues(event -> f.path, f.path) AS i
   WHERE jsonb_typeof(event -> f.path) = 'object'
  UNION ALL
  SELECT '', 'event-too-large',
         format('takes %s bytes as JSON, numbers written out in full, and an event may take 245760', size)
   WHERE size > 245760
  UNION ALL
  SELECT i.* FROM synap.schema_issues(event -> 'data', known.json_schema) AS i;
END
$$;

REVOKE ALL ON FUNCTION synap.event_bytes(jsonb), synap.utf16_length(text), synap.is_event_id(text), synap.create_event_id(),
  synap.number_fault(numeric), synap.json_issues(jsonb, text), synap.text_issues(text, text, integer),
  synap.moment_issues(timestamptz, text), synap.json_schema_check(), synap.schema_issues(jsonb, json),
  synap.event_issues(jsonb) FROM PUBLIC;
