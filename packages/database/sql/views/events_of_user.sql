-- The events that carry the id of the user in the setting synap.visible_to, which is made for one transaction; none without it.
-- The setting is read once for each statement, and compared as a plain value, so that the index of users serves.
-- All columns, up to schema_version: a view keeps those that the table had when the view was made.
CREATE OR REPLACE VIEW synap_visible.events_of_user WITH (security_barrier) AS
SELECT e.*
  FROM synap.events AS e
 WHERE e.user_id = (SELECT nullif(pg_catalog.current_setting('synap.visible_to', true), ''));

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.events_of_user');
