-- The corrections and retractions that the principal of this login may see, as in own_event_stream.
CREATE OR REPLACE VIEW synap.own_event_amendments WITH (security_barrier) AS
SELECT a.amended_id, a.amending_id, a.kind, a."position", a.recorded_at
  FROM synap.amendments AS a
 WHERE a.user_id = (SELECT p.id FROM synap.sql_principals AS p WHERE p.login = session_user AND p.kind = 'user')
    OR a.created_by = (
         SELECT p.kind || ':' || p.id FROM synap.sql_principals AS p WHERE p.login = session_user AND p.kind <> 'user');

SELECT synap.grant_to_own_sql('SELECT', 'TABLE synap.own_event_amendments');
