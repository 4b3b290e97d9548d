-- The keys of archived chunks, for the statements that read events_of_creator: they have to know what is not there.
CREATE OR REPLACE VIEW synap_visible.archived_keys_of_creator WITH (security_barrier) AS
SELECT c.hash, c.chunk
  FROM synap.archived_keys AS c;

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.archived_keys_of_creator');
