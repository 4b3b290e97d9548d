-- As streams_of_user: the streams whose first event is of the actor in the setting synap.visible_to.
CREATE OR REPLACE VIEW synap_visible.streams_of_creator WITH (security_barrier) AS
SELECT s.*
  FROM synap.streams AS s
 WHERE s.created_by = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), ''));

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.streams_of_creator');
