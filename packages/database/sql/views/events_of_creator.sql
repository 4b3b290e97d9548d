-- As events_of_user: the events of the actor in the setting synap.visible_to, who is no user. The second condition holds for every
-- other actor; it is that of the index of actors.
CREATE OR REPLACE VIEW synap_visible.events_of_creator WITH (security_barrier) AS
SELECT e.*
  FROM synap.events AS e
 WHERE e.created_by = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), ''))
   AND e.created_by IS DISTINCT FROM 'user:' || e.user_id;

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.events_of_creator');
