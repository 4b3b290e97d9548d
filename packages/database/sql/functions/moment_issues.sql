-- Returns the issues of a time: it must be in the years 1970 to 9999, with millisecond precision.
CREATE OR REPLACE FUNCTION synap.moment_issues(value timestamptz, at text) RETURNS TABLE (path text, code text, reason text)
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT at, 'timestamp-out-of-range', 'is outside the years 1970 to 9999 in UTC'
   WHERE value < '1970-01-01 00:00:00+00' OR value >= '10000-01-01 00:00:00+00'
  UNION ALL
  SELECT at, 'timestamp-too-precise',
         'is finer than a millisecond, which would be lost: use date_trunc(''milliseconds'', ...)'
   WHERE isfinite(value) AND extract(microseconds FROM value)::bigint % 1000 <> 0
$$;

REVOKE ALL ON FUNCTION synap.moment_issues(timestamptz, text) FROM PUBLIC;
