-- The events that the principal of this login may see, newest first: those with the id of a user, or those that an agent or a machine
-- created. The login is that of the session, which no SET ROLE changes. It is looked up once for each statement, and compared as a plain
-- value, so that the indexes serve. None for a login without a row in synap.sql_principals.
-- All columns, up to schema_version: a view keeps those that the table had when the view was made.
CREATE OR REPLACE VIEW synap.own_event_stream WITH (security_barrier) AS
SELECT own.*
  FROM (
    SELECT e.*
      FROM synap.event_rows AS e
     WHERE e.user_id = (SELECT p.id FROM synap.sql_principals AS p WHERE p.login = session_user AND p.kind = 'user')
     UNION ALL
    SELECT e.*
      FROM synap.event_rows AS e
     WHERE e.created_by = (
             SELECT p.kind || ':' || p.id FROM synap.sql_principals AS p WHERE p.login = session_user AND p.kind <> 'user'
           )
       -- True for what agents and machines create; with it the index of actors serves.
       AND e.created_by IS DISTINCT FROM 'user:' || e.user_id
  ) AS own
 ORDER BY own."timestamp" DESC, own."position" DESC;

SELECT synap.grant_to_own_sql('SELECT', 'TABLE synap.own_event_stream');
