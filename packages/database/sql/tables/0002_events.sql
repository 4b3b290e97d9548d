-- The source of truth: every event that ever happened, once, in the order of "position".
-- Partitioned by when the event happened. Times hold milliseconds, because a JavaScript Date does: a value that went
-- there and back is still the stored one. Identifiers are compared byte by byte (COLLATE "C"), which is cheaper and
-- doesn't change with the operating system's locale.
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
  -- Time ranges and their pages, and the look-up of an event whose time is known from event_ids.
  CONSTRAINT events_pkey PRIMARY KEY ("timestamp", "position"),
  CONSTRAINT events_data_object CHECK (jsonb_typeof(data) = 'object')
);

-- The migrator sets synap.chunk_interval for this transaction.
SELECT public.create_hypertable(
  'synap.events',
  public.by_range('timestamp', pg_catalog.current_setting('synap.chunk_interval')::interval),
  create_default_indexes => false
);

-- Each index below is paid for on every insert (five of them cost about a third of the throughput), so each one names
-- the question that would otherwise read whole chunks.

-- "What came after this position?" (readAll: every subscriber and projection)
CREATE INDEX events_position ON synap.events ("position");

-- "What happened to this one thing?" (a stream, in order)
CREATE INDEX events_stream ON synap.events (aggregate_type, aggregate_id, stream_version);

-- "Show me the latest events of this type."
CREATE INDEX events_type ON synap.events (type, "timestamp", "position");

-- "What did this person do?" Events without a user are not in it.
CREATE INDEX events_user ON synap.events (user_id, "timestamp", "position") WHERE user_id IS NOT NULL;

-- "What belongs to this request's chain of events?" Events without a correlation are not in it.
CREATE INDEX events_correlation ON synap.events (correlation_id, "timestamp", "position") WHERE correlation_id IS NOT NULL;

-- Events come in through the append functions alone.
GRANT SELECT ON synap.events TO synap_app;
