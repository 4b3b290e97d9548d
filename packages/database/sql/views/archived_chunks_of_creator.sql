-- The archived chunks that have events of the actor in the setting synap.visible_to: see events_of_creator. Without where the archive is, and who made it.
CREATE OR REPLACE VIEW synap_visible.archived_chunks_of_creator WITH (security_barrier) AS
SELECT c.chunk, c.state, c.number, c.first_position, c.last_position, c.min_timestamp, c.max_timestamp
  FROM synap.archived_chunks AS c
 WHERE EXISTS (
   SELECT FROM synap.archived_keys AS k
    WHERE k.chunk = c.number
      -- As synap.archive_key, which the role may not execute.
      AND k.hash = (SELECT ('x' || pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to(
                      'creator:' || nullif(pg_catalog.current_setting('synap.visible_to', true), ''), 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint));

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.archived_chunks_of_creator');
