-- The corrections and retractions that carry the id of the user in the setting synap.visible_to: see events_of_user.
CREATE OR REPLACE VIEW synap_visible.amendments_of_user WITH (security_barrier) AS
SELECT a.*
  FROM synap.amendments AS a
 WHERE a.user_id = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), ''));

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.amendments_of_user');
