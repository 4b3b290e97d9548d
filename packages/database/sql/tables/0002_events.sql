-- All events, in the order of "position": the source of truth, partitioned by the time at which the event happened. Times
-- have millisecond precision like a JavaScript Date, so that a value survives the round trip. Identifiers are compared byte
-- by byte (COLLATE "C"), which is cheaper and independent of the operating system's locale.
CREATE TABLE synap.events (
  "position"      bigint         NOT NULL,
  stream_version  bigint         NOT NULL,
  "timestamp"     timestamptz(3) NOT NULL,
  recorded_at     timestamptz(3) NOT NULL,
  valid_from      timestamptz(3),
  valid_to        timestamptz(3),
  id              uuid           NOT NULL,
  causation_id    uuid,
  version         text           NOT NULL COLLATE "C",
  type            text           NOT NULL COLLATE "C",
  aggregate_type  text           NOT NULL COLLATE "C",
  aggregate_id    text           NOT NULL COLLATE "C",
  user_id         text           COLLATE "C",
  created_by      text           NOT NULL COLLATE "C",
  source          text           NOT NULL COLLATE "C",
  request_id      text           COLLATE "C",
  correlation_id  text           COLLATE "C",
  idempotency_key text           COLLATE "C",
  data            jsonb          NOT NULL,
  metadata        jsonb,
  -- For time ranges and their pages, and to find an event whose time is known from event_ids.
  CONSTRAINT events_pkey PRIMARY KEY ("timestamp", "position"),
  CONSTRAINT events_data_object CHECK (jsonb_typeof(data) = 'object')
);

-- The migrator sets synap.chunk_interval for this transaction.
SELECT public.create_hypertable(
  'synap.events',
  public.by_range('timestamp', pg_catalog.current_setting('synap.chunk_interval')::interval),
  create_default_indexes => false
);

-- Every insert pays for each index (five of them cost about a third of the throughput), so each one names the query that
-- would otherwise read whole chunks.

-- readAll: the events after a position, for every subscriber and projection.
CREATE INDEX events_position ON synap.events ("position");

-- readStream: the events of a stream, in order.
CREATE INDEX events_stream ON synap.events (aggregate_type, aggregate_id, stream_version);

-- The latest events of a type.
CREATE INDEX events_type ON synap.events (type, "timestamp", "position");

-- The events of a user.
CREATE INDEX events_user ON synap.events (user_id, "timestamp", "position") WHERE user_id IS NOT NULL;

-- The events of a correlation.
CREATE INDEX events_correlation ON synap.events (correlation_id, "timestamp", "position") WHERE correlation_id IS NOT NULL;

-- What an actor did, latest first: the audit log.
CREATE INDEX events_actor ON synap.events (created_by, "position");

-- Only the append functions insert events.
GRANT SELECT ON synap.events TO synap_app;
