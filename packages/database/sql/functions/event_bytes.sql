-- Returns the size of an event as the TypeScript code measures it: JSON in UTF-8 without spaces, times with milliseconds
-- and "Z". PostgreSQL prints a space after colons and commas, at most a third of the text, so only sizes near the limit of
-- 245,760 bytes are measured exactly.
CREATE OR REPLACE FUNCTION synap.event_bytes(event jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
           WHEN octet_length(printed) NOT BETWEEN 245761 AND 2 * 245760 THEN octet_length(printed)
           ELSE octet_length(regexp_replace(printed, E'("(?:[^"\\\\]|\\\\.)*")| ', E'\\1', 'g'))
         END
    FROM (
      SELECT (event || coalesce(jsonb_object_agg(f.name, repeat('x', 24)), '{}'))::text AS printed
        FROM unnest(ARRAY['timestamp', 'validFrom', 'validTo']) AS f(name)
       WHERE event ? f.name
    ) AS e
$$;

REVOKE ALL ON FUNCTION synap.event_bytes(jsonb) FROM PUBLIC;
