-- Returns the function of the extension pg_jsonschema that validates data; null when the server does not have it.
CREATE OR REPLACE FUNCTION synap.json_schema_check() RETURNS regprocedure
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT to_regprocedure(format('%I.jsonb_matches_schema(json,jsonb)', n.nspname))
    FROM pg_extension AS e
    JOIN pg_namespace AS n ON n.oid = e.extnamespace
   WHERE e.extname = 'pg_jsonschema'
$$;

REVOKE ALL ON FUNCTION synap.json_schema_check() FROM PUBLIC;
