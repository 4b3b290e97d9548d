-- Who holds the watermark back: the session whose unfinished append has the lowest number, and what it is doing. No row
-- when nothing does. The owner looks, because PostgreSQL shows other sessions' queries only to their own login, and
-- the application runs as synap_app. The caller's own append is not meant.
CREATE FUNCTION synap.watermark_holder()
RETURNS TABLE (pid integer, query text, state text, age_ms double precision, application_name text)
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT l.pid, a.query, a.state,
         extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change))::double precision * 1000,
         a.application_name
    FROM pg_locks AS l
    LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
   WHERE l.locktype = 'advisory'
     AND l.database = synap.this_database()
     AND l.objsubid = 1
     AND l.classid::bigint >> 24 = 83
     AND l.pid <> pg_backend_pid()
     AND (((l.classid::bigint & 16777215) << 32) | l.objid::bigint) < (SELECT s.last_value FROM synap.append_sequence AS s)
   ORDER BY ((l.classid::bigint & 16777215) << 32) | l.objid::bigint, a.xact_start
   LIMIT 1
$$;

-- A query's text may hold what others should not read.
REVOKE EXECUTE ON FUNCTION synap.watermark_holder() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.watermark_holder() TO synap_app;
