-- Returns the length in UTF-16 code units, as a regular expression of JavaScript counts. Only the name in "createdBy" is
-- measured like this; all other lengths are in characters, in SQL and TypeScript alike.
CREATE OR REPLACE FUNCTION synap.utf16_length(value text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT length(value) + length(regexp_replace(value, E'[^\\U00010000-\\U0010FFFF]', '', 'g'))
$$;

REVOKE ALL ON FUNCTION synap.utf16_length(text) FROM PUBLIC;
