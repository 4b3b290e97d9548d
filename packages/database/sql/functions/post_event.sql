-- Posts an event through SQL, with the guarantees of the TypeScript API; see docs/sql.md. A null argument counts as omitted.
-- Runs as the owner, so that its callers need no right on any table; it takes only values.
--
-- Raises, in addition to PostgreSQL's own errors:
--   SY010  the event is not valid (detail: an array of { path, code, reason }, as everywhere in Synap)
--   SY001  the stream is not at the expected version (detail: expected, actual)
--   SY005  the type has inline handlers, and the transaction is not READ COMMITTED
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
  valid_to         timestamptz DEFAULT NULL,
  schema_version   integer     DEFAULT NULL
) RETURNS synap.posted_event
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_variable
DECLARE
  -- Number of attempts of an append that conflicts with other transactions, as in the TypeScript store.
  attempts     CONSTANT integer := 6;
  event_id     CONSTANT uuid := coalesce(post_event.id, synap.create_event_id());
  event        jsonb;
  issues       jsonb;
  stream_type  text;
  stream_id    text;
  happened_ms  bigint;
  -- With an expected version it is a command to one stream, for which a duplicate in another stream is an error.
  is_command   CONSTANT boolean := coalesce(post_event.expected_version, 'any') <> 'any';
  appended     record;
  found        record;
  message      text;
  detail       text;
  state        text;
BEGIN
  event := jsonb_strip_nulls(jsonb_build_object(
    'id', event_id,
    'version', 'v1',
    'type', post_event.type,
    -- Version 1 is written by leaving it out, as in TypeScript.
    'schemaVersion', nullif(post_event.schema_version, 1),
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
  -- Added after jsonb_strip_nulls, because nulls inside the data are data.
  IF post_event.data IS NOT NULL THEN
    event := event || jsonb_build_object('data', post_event.data);
  END IF;
  IF post_event.metadata IS NOT NULL THEN
    event := event || jsonb_build_object('metadata', post_event.metadata);
  END IF;

  SELECT jsonb_agg(to_jsonb(i)) INTO issues FROM (SELECT * FROM synap.event_issues(event) LIMIT 100) AS i;
  IF issues IS NULL AND event -> 'metadata' ?| ARRAY['corrects', 'retracts'] THEN
    SELECT jsonb_agg(to_jsonb(i)) INTO issues FROM synap.amendment_issues(event) AS i;
  END IF;
  IF coalesce(post_event.expected_version, 'any') !~ '^(any|no-stream|stream-exists|[0-9]{1,15})$' THEN
    issues := coalesce(issues, '[]') || jsonb_build_object(
      'path', 'expectedVersion', 'code', 'wrong-format',
      'reason', 'must be any, no-stream, stream-exists or a version');
  END IF;
  IF issues IS NOT NULL THEN
    RAISE EXCEPTION 'the event is not valid: % %', issues #>> '{0,path}', issues #>> '{0,reason}'
      USING ERRCODE = 'SY010', DETAIL = issues;
  END IF;

  stream_type := event ->> 'aggregateType';
  stream_id := event ->> 'aggregateId';
  happened_ms := extract(epoch FROM (event ->> 'timestamp')::timestamptz(3)) * 1000;
  FOR attempt IN 1 .. attempts LOOP
    BEGIN
      SELECT a.number * 1024 AS "position", (a.versions_before ->> 0)::bigint + 1 AS stream_version INTO STRICT appended
        FROM synap.append_new_events(
               json_build_array(event), ARRAY[stream_type], ARRAY[stream_id], ARRAY[1], ARRAY[happened_ms],
               ARRAY[happened_ms], ARRAY[1], ARRAY[1], ARRAY[event ->> 'userId'], ARRAY[event ->> 'createdBy'],
               expected => CASE WHEN is_command THEN ARRAY[
                 CASE post_event.expected_version
                   WHEN 'no-stream' THEN 0
                   WHEN 'stream-exists' THEN -1
                   ELSE post_event.expected_version::bigint
                 END] END) AS a;
      PERFORM synap.park_for_inline_consumers(post_event.type, (event ->> 'timestamp')::timestamptz(3), appended."position");
      -- Any login can fill the server's notification queue, and a full one fails the commit, too late for an
      -- exception handler. Readers also poll.
      IF pg_notification_queue_usage() < 0.5 THEN
        PERFORM pg_notify('synap_appends', '');
      END IF;
      RETURN ROW(event_id, appended."position", appended.stream_version, false)::synap.posted_event;
    EXCEPTION
      WHEN SQLSTATE 'SY001' THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        RAISE EXCEPTION '%', message USING ERRCODE = 'SY001', DETAIL = detail::jsonb || jsonb_build_object(
          'expected', CASE
            WHEN post_event.expected_version ~ '^[0-9]' THEN to_jsonb(post_event.expected_version::bigint)
            ELSE to_jsonb(post_event.expected_version)
          END);
      WHEN unique_violation OR SQLSTATE 'SY006' OR serialization_failure OR deadlock_detected THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
    END;

    SELECT f.originals -> 0 AS original, (f.streams #>> '{0,1}')::boolean AS is_closed INTO STRICT found
      FROM synap.find_originals(jsonb_build_array(event), ARRAY[stream_type], ARRAY[stream_id]) AS f;
    IF found.original IS NOT NULL THEN
      -- The same id must be the same event, and for a command the same key must be in the same stream.
      IF (found.original ->> 'isById')::boolean THEN
        IF NOT (found.original ->> 'hasSameContent')::boolean THEN
          RAISE EXCEPTION 'an event with id % and other content is already stored', event_id
            USING ERRCODE = 'SY007', DETAIL = jsonb_build_object('id', event_id);
        END IF;
      ELSIF is_command AND (found.original ->> 'aggregateType', found.original ->> 'aggregateId') <> (stream_type, stream_id) THEN
        RAISE EXCEPTION 'the idempotency key of event % was used in another stream', event_id
          USING ERRCODE = 'SY007', DETAIL = jsonb_build_object('id', event_id);
      END IF;
      RETURN ROW(
        (found.original ->> 'id')::uuid, (found.original ->> 'position')::bigint,
        (found.original ->> 'streamVersion')::bigint, true
      )::synap.posted_event;
    END IF;
    IF found.is_closed THEN
      RAISE EXCEPTION 'stream % % is closed', stream_type, stream_id
        USING ERRCODE = 'SY006', DETAIL = jsonb_build_object('aggregateType', stream_type, 'aggregateId', stream_id);
    END IF;
    -- Another transaction is storing the same event. Once it commits, the event is a duplicate.
    PERFORM pg_sleep(random() * 0.01 * 2 ^ attempt);
  END LOOP;
  RAISE EXCEPTION '%', message USING ERRCODE = CASE WHEN state = '40P01' THEN state ELSE '40001' END;
END
$function$;

COMMENT ON FUNCTION synap.post_event IS 'Posts an event of a type of synap.event_types.';

SELECT synap.grant_to_sql_writers('EXECUTE', 'FUNCTION synap.post_event');
