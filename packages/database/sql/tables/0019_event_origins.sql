-- Numbers of events by day (in UTC, by timestamp) and origin, of the events up to synap.event_counts_end. Of each kind a day
-- keeps at most 1,000 names. When there are more, synap.count_events takes the number of the 1,001st from each of them and
-- removes those that have none left (Misra and Gries). So a number is exact, or too low by at most a 1,001st of the day's
-- events that are in no row. Only synap.count_events writes here.
CREATE TABLE synap.event_origins (
  day    date   NOT NULL,
  events bigint NOT NULL,
  kind   text   NOT NULL CHECK (kind IN ('source', 'creator')) COLLATE "C",
  name   text   NOT NULL COLLATE "C",
  PRIMARY KEY (day, kind, name)
) WITH (fillfactor = 80);

GRANT SELECT ON synap.event_origins TO synap_app;

-- Both are counted together, so the events that were counted before are counted again.
TRUNCATE synap.event_counts;

UPDATE synap.event_counts_end SET "position" = 0;
