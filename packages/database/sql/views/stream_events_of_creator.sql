-- As stream_events_of_user: the events of the streams in streams_of_creator that are of the actor or carry no user's id.
-- All columns, up to schema_version: a view keeps those that the table had when the view was made.
CREATE OR REPLACE VIEW synap_visible.stream_events_of_creator WITH (security_barrier) AS
SELECT e.*
  FROM synap.events AS e
 WHERE (e.user_id IS NULL OR e.created_by = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), '')))
   AND EXISTS (
     SELECT FROM synap.streams AS s
      WHERE s.aggregate_type = e.aggregate_type AND s.aggregate_id = e.aggregate_id
        AND s.created_by = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), '')));

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.stream_events_of_creator');
