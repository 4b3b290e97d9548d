-- Purges: the one exception to the immutability of the log, for what a law or a court demands. A purge removes events and the copies of
-- them; the positions and the versions of the others stay as they are. Only the owner can purge.
CREATE TABLE synap.purges (
  id           uuid           PRIMARY KEY,
  begun_at     timestamptz(3) NOT NULL DEFAULT now(),
  -- When its last event was removed, and when no read model had any of them any more.
  removed_at   timestamptz(3),
  finished_at  timestamptz(3),
  -- Events after this position are not part of it.
  up_to        bigint         NOT NULL,
  events       bigint         NOT NULL DEFAULT 0,
  -- The event that records it.
  "position"   bigint,
  -- Builds of projections up to this number may have read the events.
  last_build   integer,
  purged_by    text           NOT NULL COLLATE "C",
  reason       text           NOT NULL,
  event_types  text[]         NOT NULL DEFAULT '{}' COLLATE "C",
  -- The handlers that have removed what they had written because of the events.
  forgotten_by text[]        NOT NULL DEFAULT '{}' COLLATE "C",
  -- Which events; null as soon as they are removed, because it may name a person.
  selection    jsonb
);

-- What stays of a purged event. Its digest is in the hash chain, and the hashes of its id and of its idempotency key keep it from being
-- stored again when it is sent or delivered again.
CREATE TABLE synap.purged_events (
  "position"     bigint PRIMARY KEY,
  stream_version bigint NOT NULL,
  purge          uuid   NOT NULL,
  aggregate_type text   NOT NULL COLLATE "C",
  aggregate_id   text   NOT NULL COLLATE "C",
  digest         bytea  NOT NULL,
  id_hash        bytea  NOT NULL,
  key_hash       bytea
);

CREATE INDEX purged_events_id ON synap.purged_events (id_hash);

CREATE INDEX purged_events_key ON synap.purged_events (key_hash) WHERE key_hash IS NOT NULL;

-- The events of a purge, to compare them with the event that records it.
CREATE INDEX purged_events_purge ON synap.purged_events (purge, "position");

GRANT SELECT, UPDATE (finished_at, forgotten_by) ON synap.purges TO synap_app;
GRANT SELECT ON synap.purged_events TO synap_app;
