-- Posts an event as the principal of this login, to a new stream or to one that is his: synap.post_event, whose user_id and created_by
-- are set from synap.sql_principals. A null argument counts as omitted.
--
-- Raises, in addition to what synap.post_event does:
--   42501  the login has no row in synap.sql_principals
--   SY001  the stream is one of somebody else, which is to the caller as one that does not exist
--   SY015  the name of the stream is taken by one of somebody else (detail: JSON with aggregateType and aggregateId)
CREATE OR REPLACE FUNCTION synap.post_own_event(
  type             text,
  data             jsonb,
  aggregate_id     text        DEFAULT NULL,
  aggregate_type   text        DEFAULT NULL,
  correlation_id   text        DEFAULT NULL,
  causation_id     uuid        DEFAULT NULL,
  idempotency_key  text        DEFAULT NULL,
  expected_version text        DEFAULT 'any',
  id               uuid        DEFAULT NULL,
  "timestamp"      timestamptz DEFAULT NULL,
  metadata         jsonb       DEFAULT NULL,
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
  user_id     text;
  creator     text;
  -- Null for a stream that the event begins.
  stream_type CONSTANT text := coalesce(
    post_own_event.aggregate_type,
    (SELECT t.aggregate_type FROM synap.event_types AS t WHERE t.name = post_own_event.type));
  expected    CONSTANT text := coalesce(post_own_event.expected_version, 'any');
  posted      synap.posted_event;
  issues      jsonb;
BEGIN
  SELECT CASE p.kind WHEN 'user' THEN p.id END, p.kind || ':' || p.id INTO user_id, creator
    FROM synap.sql_principals AS p
   WHERE p.login = session_user;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the login % is nobody here', session_user
      USING ERRCODE = '42501', HINT = 'The owner of the schema adds it to synap.sql_principals.';
  END IF;
  -- An event that the principal does not see is to him as one that is not stored.
  IF synap.amended_event(post_own_event.metadata) IS NOT NULL THEN
    SELECT jsonb_agg(to_jsonb(i)) INTO issues
      FROM synap.amendment_issues(jsonb_build_object(
             'type', post_own_event.type, 'aggregateType', stream_type, 'aggregateId', post_own_event.aggregate_id,
             'metadata', post_own_event.metadata), user_id, creator) AS i;
    IF issues IS NOT NULL THEN
      RAISE EXCEPTION 'the event is not valid: % %', issues #>> '{0,path}', issues #>> '{0,reason}'
        USING ERRCODE = 'SY010', DETAIL = issues;
    END IF;
  END IF;
  BEGIN
    -- Before the append, because its refusal would name the version of the stream...
    PERFORM synap.refuse_stream_of_other(stream_type, post_own_event.aggregate_id, expected, user_id, creator);
    posted := synap.post_event(
      type => post_own_event.type, data => post_own_event.data, aggregate_id => post_own_event.aggregate_id,
      aggregate_type => post_own_event.aggregate_type, user_id => user_id, created_by => creator,
      correlation_id => post_own_event.correlation_id, causation_id => post_own_event.causation_id,
      idempotency_key => post_own_event.idempotency_key, expected_version => expected, id => post_own_event.id,
      "timestamp" => post_own_event."timestamp", metadata => post_own_event.metadata, source => 'sql',
      request_id => post_own_event.request_id, valid_from => post_own_event.valid_from, valid_to => post_own_event.valid_to,
      schema_version => post_own_event.schema_version);
  EXCEPTION WHEN SQLSTATE 'SY001' OR SQLSTATE 'SY006' THEN
    -- ...and after it, because somebody else may have begun the stream meanwhile.
    PERFORM synap.refuse_stream_of_other(stream_type, post_own_event.aggregate_id, expected, user_id, creator);
    RAISE;
  END;
  PERFORM synap.refuse_stream_of_other(stream_type, post_own_event.aggregate_id, expected, user_id, creator);
  RETURN posted;
END
$function$;

COMMENT ON FUNCTION synap.post_own_event IS 'Posts an event as the principal of this login.';

SELECT synap.grant_to_own_sql('EXECUTE', 'FUNCTION synap.post_own_event');
