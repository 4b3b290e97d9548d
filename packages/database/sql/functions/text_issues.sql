-- Returns the issues of a text field: it must have 1 to "longest" characters.
CREATE OR REPLACE FUNCTION synap.text_issues(value text, at text, longest integer) RETURNS TABLE (path text, code text, reason text)
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT at, 'too-small', 'must not be empty' WHERE value = ''
  UNION ALL
  SELECT at, 'too-big', format('must have at most %s characters', longest) WHERE length(value) > longest
$$;

REVOKE ALL ON FUNCTION synap.text_issues(text, text, integer) FROM PUBLIC;
