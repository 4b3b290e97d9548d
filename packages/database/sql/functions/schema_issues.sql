-- Validates data against the schema of its type. Returns no issue where the server can't validate.
CREATE OR REPLACE FUNCTION synap.schema_issues(data jsonb, schema json) RETURNS TABLE (path text, code text, reason text)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  checker CONSTANT regproc := synap.json_schema_check()::oid;
  matches boolean;
BEGIN
  IF checker IS NULL THEN
    RETURN;
  END IF;
  -- A regproc prints as a qualified name that can be called.
  EXECUTE format('SELECT %s($1, $2)', checker) INTO matches USING schema, data;
  IF matches IS NOT TRUE THEN
    RETURN QUERY VALUES ('data'::text, 'schema-mismatch'::text, 'does not satisfy the JSON Schema of its event type'::text);
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap.schema_issues(jsonb, json) FROM PUBLIC;
