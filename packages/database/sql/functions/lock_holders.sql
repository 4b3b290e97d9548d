-- The sessions for whose locks others of this database wait, and how many do, those included that wait behind them.
-- Sessions that wait themselves are left out: they are held up too. The pid of a prepared transaction is 0. The owner
-- looks, because PostgreSQL shows other sessions' queries only to their own login. At most ten.
CREATE OR REPLACE FUNCTION synap.lock_holders()
RETURNS TABLE (
  pid integer, login text, query text, state text, age_ms double precision, application_name text, waiting integer
)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE waiting AS MATERIALIZED (
    -- Looking for who blocks a session locks the whole lock table for a moment, so not for any number of them.
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

-- A query's text may hold what others should not read.
REVOKE ALL ON FUNCTION synap.lock_holders() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.lock_holders() TO synap_app;
