-- Numbers of events by day (in UTC, by timestamp), event type and kind of actor, of the events up to a position. The view
-- synap_read.compliance_stats adds those after it. Only synap.count_events writes here.
CREATE TABLE synap.event_counts (
  day              date   NOT NULL,
  events           bigint NOT NULL,
  with_user        bigint NOT NULL,
  with_correlation bigint NOT NULL,
  first_position   bigint NOT NULL,
  last_position    bigint NOT NULL,
  event_type       text   NOT NULL COLLATE "C",
  actor_kind       text   NOT NULL COLLATE "C",
  -- The days of a period are adjacent.
  PRIMARY KEY (day, event_type, actor_kind)
) WITH (fillfactor = 80);

-- One row: the position of the last event that was counted.
CREATE TABLE synap.event_counts_end (
  "position" bigint NOT NULL
) WITH (fillfactor = 10);

INSERT INTO synap.event_counts_end ("position") VALUES (0);

GRANT SELECT ON synap.event_counts, synap.event_counts_end TO synap_app;
