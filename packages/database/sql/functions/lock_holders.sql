-- Lists at most ten sessions whose locks block others in this database, with the number of sessions that wait for them
-- directly or indirectly. Sessions that wait themselves are left out. The pid of a prepared transaction is 0. Runs as the
-- owner, because PostgreSQL shows the queries of other logins only to their members.
CREATE OR REPLACE FUNCTION synap.lock_holders()
RETURNS TABLE (
  pid integer, login text, query text, state text, age_ms double precision, application_name text, waiting integer
)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE waiting AS MATERIALIZED (
    -- Limited, because pg_blocking_pids briefly locks the whole lock table.
    SELECT DISTINCT l.pid
      FROM pg_locks AS l
      JOIN pg_stat_activity AS a ON a.pid = l.pid
     WHERE NOT l.granted AND a.datname = current_database()
     LIMIT 100
  ), blocked AS MATERIALIZED (
    SELECT DISTINCT w.pid, b.holder
      FROM waiting AS w
     CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b(holder)
  ), reached AS (
    SELECT b.holder AS root, b.pid FROM blocked AS b WHERE b.holder NOT IN (SELECT w.pid FROM waiting AS w)
    UNION
    SELECT r.root, b.pid FROM reached AS r JOIN blocked AS b ON b.holder = r.pid
  )
  SELECT r.root, a.usename::text, a.query, CASE WHEN r.root = 0 THEN 'prepared transaction' ELSE a.state END,
         extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change))::double precision * 1000,
         a.application_name, count(*)::integer
    FROM reached AS r
    LEFT JOIN pg_stat_activity AS a ON a.pid = r.root
   GROUP BY r.root, a.usename, a.query, a.state, a.xact_start, a.state_change, a.application_name
   ORDER BY count(*) DESC, r.root
   LIMIT 10
$$;

-- The text of a query may be confidential.
REVOKE ALL ON FUNCTION synap.lock_holders() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.lock_holders() TO synap_app;
