-- Lists the nearly exhausted resources that all sessions of the server share, each with the three sessions to check first.
-- Any login that may connect can exhaust them, so this can only be detected and not prevented.
--
-- notifications: the NOTIFY queue is truncated up to the oldest transaction of a listening session, in any database.
--   PostgreSQL does not show which sessions listen, so those with the oldest transactions are listed.
-- locks: the lock table has max_locks_per_transaction entries for each possible session. Those with the most locks are
--   listed.
--
-- Runs as the owner, because PostgreSQL hides other sessions. For logins that are hidden from the owner too, only pid and
-- name are known; they come first among the transactions.
CREATE OR REPLACE FUNCTION synap.shared_resources()
RETURNS TABLE (resource text, used double precision, sessions jsonb)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  locks CONSTANT bigint := (SELECT count(*) FROM pg_locks AS l WHERE NOT l.fastpath);
  capacity CONSTANT bigint := current_setting('max_locks_per_transaction')::bigint * (
    current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint
    + current_setting('max_worker_processes')::bigint + current_setting('max_wal_senders')::bigint
    + current_setting('autovacuum_max_workers')::bigint + 1);
BEGIN
  resource := 'notifications';
  used := pg_notification_queue_usage();
  IF used >= 0.25 THEN
    SELECT coalesce(jsonb_agg(to_jsonb(s) - 'since' ORDER BY s.since NULLS FIRST), '[]') INTO sessions
      FROM (
        SELECT a.pid, a.usename AS login, a.datname AS database, a.application_name AS "applicationName",
               round(extract(epoch FROM clock_timestamp() - a.xact_start) * 1000) AS "ageMs", a.xact_start AS since
          FROM pg_stat_activity AS a
         WHERE a.pid <> pg_backend_pid() AND coalesce(a.backend_type, 'client backend') = 'client backend'
           AND EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND l.locktype = 'virtualxid' AND l.granted)
         ORDER BY a.xact_start NULLS FIRST
         LIMIT 3
      ) AS s;
    RETURN NEXT;
  END IF;

  resource := 'locks';
  used := locks / capacity::double precision;
  IF used >= 0.5 THEN
    SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.locks DESC), '[]') INTO sessions
      FROM (
        SELECT a.pid, a.usename AS login, a.datname AS database, a.application_name AS "applicationName",
               round(extract(epoch FROM clock_timestamp() - a.xact_start) * 1000) AS "ageMs", l.locks
          FROM (SELECT k.pid, count(*) AS locks FROM pg_locks AS k WHERE NOT k.fastpath GROUP BY k.pid) AS l
          JOIN pg_stat_activity AS a ON a.pid = l.pid
         ORDER BY l.locks DESC
         LIMIT 3
      ) AS s;
    RETURN NEXT;
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap.shared_resources() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.shared_resources() TO synap_app;
