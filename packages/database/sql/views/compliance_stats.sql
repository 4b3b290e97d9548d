-- The compliance figures: for each day (in UTC, by timestamp), event type and kind of actor, the number of events, of events
-- that name a user, and of events that belong to a flow. What was counted up to a position, and what the log has after it: in
-- one statement, and so in one snapshot, which makes the sum that of all committed events.
CREATE OR REPLACE VIEW synap_read.compliance_stats AS
SELECT c.day, c.event_type, c.actor_kind, sum(c.events)::bigint AS events, sum(c.with_user)::bigint AS with_user,
       sum(c.with_correlation)::bigint AS with_correlation, min(c.first_position) AS first_position,
       max(c.last_position) AS last_position
  FROM (
    SELECT k.day, k.event_type, k.actor_kind, k.events, k.with_user, k.with_correlation, k.first_position, k.last_position
      FROM synap.event_counts AS k
    UNION ALL
    SELECT l.day, l.event_type COLLATE "C", l.actor_kind COLLATE "C", l.events, l.with_user, l.with_correlation, l.first_position,
           l.last_position
      FROM synap.figures_between((SELECT e."position" FROM synap.event_counts_end AS e), 9223372036854775807) AS l
     WHERE l.event_type IS NOT NULL
  ) AS c
 GROUP BY c.day, c.event_type, c.actor_kind;

GRANT SELECT ON synap_read.compliance_stats TO synap_app;
