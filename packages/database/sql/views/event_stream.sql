-- The events for people, newest first, so that
-- SELECT * FROM synap.event_stream LIMIT 20 shows what has just happened. Give a time range when you look further back.
-- Not for following the log: positions become visible out of order, and get_events knows how far it is safe to read.
CREATE OR REPLACE VIEW synap.event_stream AS
SELECT e.*
  FROM synap.event_rows AS e
 ORDER BY e."timestamp" DESC, e."position" DESC;

SELECT synap.grant_to_sql_writers('SELECT', 'TABLE synap.event_stream');
