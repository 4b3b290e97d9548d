-- Returns the code of the reason why TypeScript refuses a text as a time (readTimestamp in @synap/types); null for a time.
CREATE OR REPLACE FUNCTION synap.timestamp_fault(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parts CONSTANT text[] := regexp_match(
    value, E'^(\\d{4})-(\\d{2})-(\\d{2})[Tt](\\d{2}):(\\d{2}):(\\d{2})(?:[.](\\d+))?(?:[Zz]|([+-])(\\d{2}):(\\d{2}))$');
  day    integer;
  days   integer;
  moment timestamp;
BEGIN
  IF parts IS NULL OR length(value) > 64 OR octet_length(value) <> length(value) THEN
    RETURN 'timestamp-format';
  END IF;
  day := parts[3]::integer;
  days := CASE
    WHEN parts[2] IN ('04', '06', '09', '11') THEN 30
    WHEN parts[2] <> '02' THEN 31
    WHEN (parts[1]::integer % 4 = 0 AND parts[1]::integer % 100 <> 0) OR parts[1]::integer % 400 = 0 THEN 29
    ELSE 28
  END;
  IF parts[2] NOT BETWEEN '01' AND '12' OR day NOT BETWEEN 1 AND days OR parts[4] > '23' OR parts[5] > '59' OR parts[6] > '59'
     OR coalesce(parts[9], '00') > '23' OR coalesce(parts[10], '00') > '59'
  THEN
    RETURN 'timestamp-impossible';
  END IF;
  IF substring(parts[7] FROM 4) ~ '[1-9]' THEN
    RETURN 'timestamp-too-precise';
  END IF;
  IF parts[1] < '0100' THEN
    RETURN 'timestamp-out-of-range';
  END IF;
  moment := make_timestamp(
      parts[1]::integer, parts[2]::integer, day, parts[4]::integer, parts[5]::integer,
      (parts[6] || '.' || coalesce(left(parts[7], 3), '0'))::float8)
    - CASE WHEN parts[8] = '-' THEN -1 ELSE 1 END
      * make_interval(hours => coalesce(parts[9], '0')::integer, mins => coalesce(parts[10], '0')::integer);
  IF moment < '1970-01-01' OR moment >= '10000-01-01' THEN
    RETURN 'timestamp-out-of-range';
  END IF;
  RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION synap.timestamp_fault(text) FROM PUBLIC;
