-- The corrections and retractions that the actor created in the setting synap.visible_to: see events_of_creator.
CREATE OR REPLACE VIEW synap_visible.amendments_of_creator WITH (security_barrier) AS
SELECT a.*
  FROM synap.amendments AS a
 WHERE a.created_by = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), ''));

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.amendments_of_creator');
