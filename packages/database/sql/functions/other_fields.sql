-- The fields of objects that a node of a plan does not name, each with the verdict on its name; see synap.check_issues.
CREATE OR REPLACE FUNCTION synap.other_fields(plan jsonb, n jsonb, vals jsonb[], paths text[], slots integer[])
RETURNS TABLE (value jsonb, path text, slot integer, parent text, is_refused boolean)
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  WITH field AS MATERIALIZED (
    SELECT f.key, f.value, u.path, u.slot, (row_number() OVER ())::integer AS ordinal
      FROM unnest(vals, paths, slots) AS u(value, path, slot)
     CROSS JOIN LATERAL jsonb_each(
       CASE WHEN jsonb_typeof(u.value) = 'object' THEN u.value - ARRAY(SELECT jsonb_object_keys(n -> 'properties')) ELSE '{}' END
     ) AS f(key, value)
  ), refused AS (
    -- The node of the names is one of text, with rules and nothing else.
    SELECT DISTINCT i.slot AS ordinal
      FROM jsonb_array_elements(plan -> (n ->> 'keys')::integer -> 'rules') AS r(rule)
     CROSS JOIN (SELECT array_agg(to_jsonb(f.key)) AS vals, array_agg(f.key) AS paths, array_agg(f.ordinal) AS slots
                   FROM field AS f) AS k
     CROSS JOIN LATERAL synap.rule_issues(r.rule, k.vals, k.paths, k.slots) AS i
  )
  SELECT f.value, synap.field_path(f.path, f.key), f.slot, f.path, r.ordinal IS NOT NULL
    FROM field AS f
    LEFT JOIN refused AS r USING (ordinal)
$$;

REVOKE ALL ON FUNCTION synap.other_fields(jsonb, jsonb, jsonb[], text[], integer[]) FROM PUBLIC;
