-- Which of these streams another transaction has locked at this moment, also one that it has made and not committed yet.
-- For an append that has waited for a lock in vain. Each lock is tried, and given back at once. Runs as the owner, as
-- append_events does.
CREATE FUNCTION synap.locked_streams(stream_types text[], stream_ids text[])
RETURNS TABLE (aggregate_type text, aggregate_id text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- A stream that is being made has no row to skip yet: its place in the index is waited for, shortly.
SET lock_timeout = '1ms'
AS $function$
#variable_conflict use_column
DECLARE
  each record;
BEGIN
  FOR each IN SELECT u.type COLLATE "C" AS type, u.id COLLATE "C" AS id
                FROM unnest(stream_types, stream_ids) AS u(type, id) ORDER BY 1, 2
  LOOP
    BEGIN
      PERFORM FROM synap.streams AS s
        WHERE s.aggregate_type = each.type AND s.aggregate_id = each.id
          FOR NO KEY UPDATE SKIP LOCKED;
      IF NOT FOUND THEN
        IF EXISTS (SELECT FROM synap.streams AS s WHERE s.aggregate_type = each.type AND s.aggregate_id = each.id) THEN
          RAISE lock_not_available;
        END IF;
        INSERT INTO synap.streams (aggregate_type, aggregate_id, version, first_timestamp, last_timestamp)
        VALUES (each.type, each.id, 0, 'infinity', '-infinity')
        ON CONFLICT DO NOTHING;
      END IF;
      RAISE EXCEPTION USING ERRCODE = 'SY008', MESSAGE = 'gives the lock back';
    EXCEPTION
      WHEN SQLSTATE 'SY008' THEN
        NULL;
      WHEN lock_not_available THEN
        aggregate_type := each.type;
        aggregate_id := each.id;
        RETURN NEXT;
    END;
  END LOOP;
END
$function$;

REVOKE ALL ON FUNCTION synap.locked_streams(text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.locked_streams(text[], text[]) TO synap_app;

-- The sessions for whose locks others of this database wait, and how many do, those included that wait behind them.
-- Sessions that wait themselves are left out: they are held up too. The pid of a prepared transaction is 0. The owner
-- looks, because PostgreSQL shows other sessions' queries only to their own login. At most ten.
CREATE FUNCTION synap.lock_holders()
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
