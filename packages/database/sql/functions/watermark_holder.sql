-- Returns the session that holds the watermark back: the one whose unfinished append has the lowest number, without the
-- caller's own. No row when there is none. Runs as the owner, because PostgreSQL shows the queries of other logins only to
-- their members, and the application runs as synap_app. The pid of a prepared transaction is 0.
CREATE OR REPLACE FUNCTION synap.watermark_holder()
RETURNS TABLE (pid integer, login text, query text, state text, age_ms double precision, application_name text)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(h.pid, 0), coalesce(a.usename, p.owner)::text, a.query,
         CASE WHEN h.pid IS NULL THEN 'prepared transaction' ELSE a.state END,
         extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change, p.prepared))::double precision * 1000,
         a.application_name
    FROM (
      SELECT l.pid, CASE WHEN l.pid IS NULL THEN l.virtualtransaction END AS prepared,
             min(l.low) AS low
        FROM synap.append_locks AS l
       WHERE l.pid IS DISTINCT FROM pg_backend_pid()
       GROUP BY l.pid, CASE WHEN l.pid IS NULL THEN l.virtualtransaction END
      HAVING NOT bool_and(l.is_advisory)
    ) AS h
    LEFT JOIN pg_stat_activity AS a ON a.pid = h.pid
    LEFT JOIN pg_prepared_xacts AS p ON h.prepared = '-1/' || p.transaction
   WHERE h.low < (SELECT s.last_value FROM synap.append_sequence AS s)
   ORDER BY h.low, a.xact_start
   LIMIT 1
$$;

-- The text of a query may be confidential.
REVOKE ALL ON FUNCTION synap.watermark_holder() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.watermark_holder() TO synap_app;
