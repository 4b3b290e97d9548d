-- The fields of objects that are missing, or that are refused by their names; see synap.check_issues.
CREATE OR REPLACE FUNCTION synap.field_issues(plan jsonb, n jsonb, vals jsonb[], paths text[], slots integer[])
RETURNS SETOF synap.check_issue
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  names    CONSTANT text[] := ARRAY(SELECT jsonb_object_keys(n -> 'properties'));
  required CONSTANT text[] := ARRAY(SELECT jsonb_array_elements_text(coalesce(n -> 'required', '[]')));
BEGIN
  RETURN QUERY
  SELECT u.slot, synap.field_path(u.path, f.name), 'missing', 'is required', true, NULL::text
    FROM unnest(vals, paths, slots) AS u(value, path, slot)
   CROSS JOIN LATERAL unnest(required) AS f(name)
   WHERE jsonb_typeof(u.value) = 'object' AND NOT u.value ?& required AND NOT u.value ? f.name;
  IF n -> 'additional' = 'false' THEN
    RETURN QUERY
    SELECT u.slot, synap.field_path(u.path, f.key), 'unknown-field', 'is not a field of this event type', false, u.path
      FROM unnest(vals, paths, slots) AS u(value, path, slot)
     CROSS JOIN LATERAL jsonb_object_keys(CASE WHEN jsonb_typeof(u.value) = 'object' THEN u.value - names ELSE '{}' END) AS f(key);
  ELSIF n ? 'keys' AND NOT n ? 'loose' THEN
    RETURN QUERY
    SELECT f.slot, f.path, 'wrong-key', 'has a key that is not allowed', true, f.parent
      FROM synap.other_fields(plan, n, vals, paths, slots) AS f
     WHERE f.is_refused;
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap.field_issues(jsonb, jsonb, jsonb[], text[], integer[]) FROM PUBLIC;
