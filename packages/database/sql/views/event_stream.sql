-- Events for interactive queries, newest first: SELECT * FROM synap.event_stream LIMIT 20. Add a time range to look further
-- back. To follow the log use get_events: positions become visible out of order, and it returns only what is safe to read.
-- All columns, up to schema_version: a view keeps those that the table had when the view was made.
CREATE OR REPLACE VIEW synap.event_stream AS
SELECT e.*
  FROM synap.event_rows AS e
 ORDER BY e."timestamp" DESC, e."position" DESC;

SELECT synap.grant_to_sql_writers('SELECT', 'TABLE synap.event_stream');
