-- The corrections and retractions: which event each amends, and when it was recorded.
CREATE OR REPLACE VIEW synap.event_amendments AS
SELECT a.amended_id, a.amending_id, a.kind, a."position", a.recorded_at
  FROM synap.amendments AS a;

SELECT synap.grant_to_sql_writers('SELECT', 'TABLE synap.event_amendments');
