-- The streams whose first event carries the id of the user in the setting synap.visible_to.
CREATE OR REPLACE VIEW synap_visible.streams_of_user WITH (security_barrier) AS
SELECT s.*
  FROM synap.streams AS s
 WHERE s.user_id = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), ''));

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.streams_of_user');
