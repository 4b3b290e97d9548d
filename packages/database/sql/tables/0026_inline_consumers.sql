-- The event types of inline handlers and inline projections, written by each worker when it starts. post_event can't run them, so it
-- parks its events for them.
CREATE TABLE synap.inline_consumers (
  -- The version of a projection, whose inline builds of that version are meant; 0 for a handler.
  version    integer NOT NULL,
  name       text    NOT NULL COLLATE "C",
  event_type text    NOT NULL COLLATE "C",
  PRIMARY KEY (event_type, name, version)
);

COMMENT ON TABLE synap.inline_consumers IS 'Inline handlers and projections with the types of their events, for post_event.';

GRANT SELECT, INSERT, DELETE ON synap.inline_consumers TO synap_app;
