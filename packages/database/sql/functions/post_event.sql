-- The SQL door: posts one event, with the guarantees of the TypeScript door; see docs/sql.md. A null argument counts as
-- left out. Runs as the owner, so that its callers need no right on any table: everything they send is a value.
--
-- Raises, besides what PostgreSQL raises by itself:
--   SY010  the event is not valid (detail: an array of { path, code, reason }, as everywhere in Synap)
--   SY001  the stream is not at the expected version (detail: expected, actual)
--   SY006  the stream is closed
--   SY007  the id is taken by an event with other content, or the idempotency key by an event of another stream
-- The details are JSON.
CREATE OR REPLACE FUNCTION synap.post_event(
  type             text,
  data             jsonb,
  aggregate_id     text        DEFAULT NULL,
  aggregate_type   text        DEFAULT NULL,
  user_id          text        DEFAULT NULL,
  created_by       text        DEFAULT NULL,
  correlation_id   text        DEFAULT NULL,
  causation_id     uuid        DEFAULT NULL,
  idempotency_key  text        DEFAULT NULL,
  expected_version text        DEFAULT 'any',
  id               uuid        DEFAULT NULL,
  "timestamp"      timestamptz DEFAULT NULL,
  metadata         jsonb       DEFAULT NULL,
  source           text        DEFAULT 'sql',
  request_id       text        DEFAULT NULL,
  valid_from       timestamptz DEFAULT NULL,
  valid_to         timestamptz DEFAULT NULL
) RETURNS synap.posted_event
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
  -- How often an append that met another transaction is tried in all, as in the TypeScript store.
  attempts     CONSTANT integer := 6;
  event_id     CONSTANT uuid := coalesce(post_event.id, synap.create_event_id());
  event        jsonb;
  issues       jsonb;
  expectations jsonb := '[]';
  -- A command about one stream, which is refused rather than answered with another stream's event.
  is_command   CONSTANT boolean := coalesce(post_event.expected_version, 'any') <> 'any';
  appended     record;
BEGIN
  event := jsonb_strip_nulls(jsonb_build_object(
    'id', event_id,
    'version', 'v1',
    'type', post_event.type,
    'aggregateType', coalesce(
      post_event.aggregate_type,
      (SELECT t.aggregate_type FROM synap.event_types AS t WHERE t.name = post_event.type)),
    'aggregateId', coalesce(post_event.aggregate_id, event_id::text),
    'userId', post_event.user_id,
    'createdBy', coalesce(post_event.created_by, 'user:' || post_event.user_id, 'system'),
    'source', coalesce(post_event.source, 'sql'),
    'timestamp', coalesce(post_event."timestamp", date_trunc('milliseconds', clock_timestamp())),
    'requestId', post_event.request_id,
    'correlationId', post_event.correlation_id,
    'causationId', post_event.causation_id,
    'idempotencyKey', post_event.idempotency_key,
    'validFrom', post_event.valid_from,
    'validTo', post_event.valid_to));
  -- Not stripped: a null inside the data is data.
  IF post_event.data IS NOT NULL THEN
    event := event || jsonb_build_object('data', post_event.data);
  END IF;
  IF post_event.metadata IS NOT NULL THEN
    event := event || jsonb_build_object('metadata', post_event.metadata);
  END IF;

  SELECT jsonb_agg(to_jsonb(i)) INTO issues FROM (SELECT * FROM synap.event_issues(event) LIMIT 100) AS i;
  IF coalesce(post_event.expected_version, 'any') !~ '^(any|no-stream|stream-exists|[0-9]{1,15})$' THEN
    issues := coalesce(issues, '[]') || jsonb_build_object(
      'path', 'expectedVersion', 'code', 'wrong-format',
      'reason', 'must be any, no-stream, stream-exists or a version');
  END IF;
  IF issues IS NOT NULL THEN
    RAISE EXCEPTION 'the event is not valid: % %', issues #>> '{0,path}', issues #>> '{0,reason}'
      USING ERRCODE = 'SY010', DETAIL = issues;
  END IF;

  IF is_command THEN
    expectations := jsonb_build_array(jsonb_build_object(
      'aggregateType', event -> 'aggregateType',
      'aggregateId', event -> 'aggregateId',
      'expected', CASE
        WHEN post_event.expected_version ~ '^[0-9]' THEN to_jsonb(post_event.expected_version::bigint)
        ELSE to_jsonb(post_event.expected_version)
      END));
  END IF;

  FOR attempt IN 1 .. attempts LOOP
    BEGIN
      SELECT a.status, a.id, a."position", a.stream_version INTO STRICT appended
        FROM synap.append_events(jsonb_build_array(event), expectations, is_command) AS a;
      EXIT;
    EXCEPTION WHEN serialization_failure OR deadlock_detected THEN
      -- Somebody stores the same event at this moment. Once they are done it is a duplicate.
      IF attempt = attempts THEN
        RAISE;
      END IF;
      PERFORM pg_sleep(random() * 0.01 * 2 ^ attempt);
    END;
  END LOOP;

  IF appended.status = 'conflict' THEN
    RAISE EXCEPTION 'an event with the id % and another content is stored already', event_id
      USING ERRCODE = 'SY007', DETAIL = jsonb_build_object('id', event_id);
  ELSIF appended.status = 'closed' THEN
    RAISE EXCEPTION 'stream % % is closed', event ->> 'aggregateType', event ->> 'aggregateId'
      USING ERRCODE = 'SY006', DETAIL = jsonb_build_object(
        'aggregateType', event -> 'aggregateType', 'aggregateId', event -> 'aggregateId');
  END IF;
  RETURN ROW(appended.id, appended."position", appended.stream_version, appended.status = 'duplicate')::synap.posted_event;
END
$function$;

COMMENT ON FUNCTION synap.post_event IS 'Posts one event. See docs/sql.md, and synap.event_types for the types.';

SELECT synap.grant_to_sql_writers('EXECUTE', 'FUNCTION synap.post_event');
