-- Parks an event, which this transaction has stored through SQL, for the inline handlers and inline builds of its type. Workers handle
-- it next, and the later events of its stream wait behind it, also those of TypeScript, so each consumer receives the stream in
-- order. The append holds the stream's lock, as in TypeScript.
CREATE OR REPLACE FUNCTION synap.park_for_inline_consumers(
  event_type  text,
  happened_at timestamptz,
  "position"  bigint
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
  stored      synap.events;
  -- The projections of the type, as a JSON array.
  projections jsonb;
  -- The form of times in events.
  iso         CONSTANT text := 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"';
BEGIN
  IF NOT EXISTS (SELECT FROM synap.inline_consumers AS c WHERE c.event_type = park_for_inline_consumers.event_type) THEN
    RETURN;
  END IF;
  SELECT e.* INTO STRICT stored FROM synap.events AS e
   WHERE e."timestamp" = happened_at AND e."position" = park_for_inline_consumers."position";
  -- An older snapshot would not see a build that has become inline since, and that build not the event.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'events of type %, which has inline handlers, are posted in READ COMMITTED only', event_type
      USING ERRCODE = 'SY005', HINT = 'Begin the transaction with ISOLATION LEVEL READ COMMITTED.';
  END IF;
  SELECT jsonb_agg(DISTINCT c.name) INTO projections
    FROM synap.inline_consumers AS c
   WHERE c.event_type = stored.type AND c.version > 0;
  WITH consumers AS MATERIALIZED (
    SELECT c.name FROM synap.inline_consumers AS c WHERE c.event_type = stored.type AND c.version = 0
    UNION ALL
    SELECT b.projection || '/' || b.build
      FROM synap.inline_consumers AS c
      JOIN synap.inline_builds(projections) AS b ON b.projection = c.name AND b.version = c.version
     WHERE c.event_type = stored.type
  ), held AS (
    -- Without a dead letter and without a retry: the stream may go on. One that waits for either keeps waiting.
    INSERT INTO synap.held_streams (handler, aggregate_type, aggregate_id)
    SELECT c.name, stored.aggregate_type, stored.aggregate_id FROM consumers AS c
    ON CONFLICT DO NOTHING
  )
  INSERT INTO synap.parked_events (handler, aggregate_type, aggregate_id, "position", event)
  SELECT c.name, stored.aggregate_type, stored.aggregate_id, stored."position",
         -- Nulls inside data and metadata stay.
         (jsonb_strip_nulls(jsonb_build_object(
            'id', stored.id,
            'version', stored.version,
            'type', stored.type,
            'schemaVersion', stored.schema_version,
            'aggregateType', stored.aggregate_type,
            'aggregateId', stored.aggregate_id,
            'userId', stored.user_id,
            'createdBy', stored.created_by,
            'source', stored.source,
            'timestamp', to_char(stored."timestamp" AT TIME ZONE 'UTC', iso),
            'requestId', stored.request_id,
            'correlationId', stored.correlation_id,
            'causationId', stored.causation_id,
            'idempotencyKey', stored.idempotency_key,
            'validFrom', to_char(stored.valid_from AT TIME ZONE 'UTC', iso),
            'validTo', to_char(stored.valid_to AT TIME ZONE 'UTC', iso),
            'position', stored."position",
            'streamVersion', stored.stream_version,
            'recordedAt', to_char(stored.recorded_at AT TIME ZONE 'UTC', iso)))
          || jsonb_build_object('data', stored.data)
          || CASE WHEN stored.metadata IS NULL THEN '{}' ELSE jsonb_build_object('metadata', stored.metadata) END
         )::text::json
    FROM consumers AS c;
END
$function$;

REVOKE ALL ON FUNCTION synap.park_for_inline_consumers(text, timestamptz, bigint) FROM PUBLIC;
