-- The events of the actor in the setting synap.visible_to, for actors that are not users (events_of_user is for those). The second
-- condition holds for all of their events; with it the index of actors serves.
-- All columns, up to schema_version: a view keeps those that the table had when the view was made.
CREATE OR REPLACE VIEW synap_visible.events_of_creator WITH (security_barrier) AS
SELECT e.*
  FROM synap.events AS e
 WHERE e.created_by = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), ''))
   AND e.created_by IS DISTINCT FROM 'user:' || e.user_id;

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.events_of_creator');
