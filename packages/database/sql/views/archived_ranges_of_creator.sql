-- The positions of archived events, of whomever they are, for the statements that read events_of_creator: they have to know what is not there.
CREATE OR REPLACE VIEW synap_visible.archived_ranges_of_creator WITH (security_barrier) AS
SELECT c.first_position, c.last_position, c.chunk
  FROM synap.archived_ranges AS c;

SELECT synap.grant_to_reader('SELECT', 'TABLE synap_visible.archived_ranges_of_creator');
