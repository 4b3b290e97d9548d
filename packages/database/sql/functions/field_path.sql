-- Adds a field to a path, as in code: data.tags, data["odd name"]. Names of more than 64 characters are cut. No SET clause, so
-- that it is inlined; its callers pin search_path.
CREATE OR REPLACE FUNCTION synap.field_path(at text, key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE
           WHEN pg_catalog.length(key) > 64 THEN pg_catalog.format('%s[%s]', at, pg_catalog.to_json(pg_catalog.left(key, 64) || '…'))
           WHEN key ~ '^[A-Za-z_$][A-Za-z0-9_$]*$' THEN at || '.' || key
           ELSE pg_catalog.format('%s[%s]', at, pg_catalog.to_json(key))
         END
$$;

REVOKE ALL ON FUNCTION synap.field_path(text, text) FROM PUBLIC;
