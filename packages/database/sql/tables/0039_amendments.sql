-- Corrections and retractions by the event that they amend, so that whether an event is in force is found without reading metadata. The appends
-- write it. Events from before have no rows.
CREATE TABLE synap.amendments (
  -- The original.
  amended_id       uuid           NOT NULL,
  amended_position bigint         NOT NULL,
  -- The event that amends it: the last one decides.
  "position"       bigint         NOT NULL,
  amending_id      uuid           NOT NULL,
  kind             text           NOT NULL COLLATE "C" CHECK (kind IN ('correction', 'retraction')),
  recorded_at      timestamptz(3) NOT NULL,
  -- Who may see that event.
  user_id          text           COLLATE "C",
  created_by       text           NOT NULL COLLATE "C",
  PRIMARY KEY (amended_id, "position")
);

CREATE UNIQUE INDEX amendments_amending ON synap.amendments (amending_id);

GRANT SELECT ON synap.amendments TO synap_app;
