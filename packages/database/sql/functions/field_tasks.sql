-- The tasks of the fields of objects; see synap.check_issues.
CREATE OR REPLACE FUNCTION synap.field_tasks(plan jsonb, n jsonb, vals jsonb[], paths text[], slots integer[])
RETURNS SETOF synap.check_task
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  name  text;
  child integer;
BEGIN
  FOR name, child IN SELECT f.key, f.value::integer FROM jsonb_each_text(n -> 'properties') AS f LOOP
    CONTINUE WHEN plan -> child = '{}';
    RETURN QUERY
    SELECT child, array_agg(u.value -> name), array_agg(u.path || synap.field_path('', name)), array_agg(u.slot)
      FROM unnest(vals, paths, slots) AS u(value, path, slot)
     WHERE jsonb_typeof(u.value) = 'object' AND u.value ? name
    HAVING count(*) > 0;
  END LOOP;
  child := nullif(n -> 'additional', 'false');
  IF plan -> child <> '{}' THEN
    RETURN QUERY
    SELECT child, array_agg(f.value), array_agg(f.path), array_agg(f.slot)
      FROM synap.other_fields(plan, n, vals, paths, slots) AS f
     WHERE NOT f.is_refused
    HAVING count(*) > 0;
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap.field_tasks(jsonb, jsonb, jsonb[], text[], integer[]) FROM PUBLIC;
