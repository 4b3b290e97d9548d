-- Lists at most ten sessions that hold advisory locks with keys of appends although their login is no member of our roles.
-- These locks have no effect, but an operator should investigate.
CREATE OR REPLACE FUNCTION synap.foreign_locks()
RETURNS TABLE (pid integer, login text, application_name text, locks integer)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT l.pid, a.usename::text, a.application_name, count(*)::integer
    FROM synap.append_locks AS l
    JOIN pg_stat_activity AS a ON a.pid = l.pid
   WHERE l.is_advisory
     AND NOT EXISTS (
       SELECT FROM pg_roles AS r
        WHERE r.rolname IN ('synap_app', 'synap_sql', 'synap_sql_own') AND pg_has_role(a.usesysid, r.oid, 'MEMBER'))
   GROUP BY l.pid, a.usename, a.application_name
   ORDER BY l.pid
   LIMIT 10
$$;

REVOKE ALL ON FUNCTION synap.foreign_locks() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.foreign_locks() TO synap_app;
