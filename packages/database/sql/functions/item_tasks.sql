-- The tasks of the items of arrays; see synap.check_issues.
CREATE OR REPLACE FUNCTION synap.item_tasks(plan jsonb, n jsonb, vals jsonb[], paths text[], slots integer[])
RETURNS SETOF synap.check_task
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  prefix CONSTANT jsonb := coalesce(n #> '{tuple,prefix}', '[]');
  places CONSTANT integer := jsonb_array_length(prefix);
  least  CONSTANT integer := coalesce((n #>> '{tuple,least}')::integer, 0);
  most   CONSTANT integer := coalesce((n ->> 'cap')::integer, 50000);
  rest   CONSTANT integer := coalesce(n ->> 'items', n #>> '{tuple,rest}');
BEGIN
  FOR place IN 0 .. places - 1 LOOP
    RETURN QUERY
    SELECT (prefix ->> place)::integer, array_agg(u.value -> place), array_agg(format('%s[%s]', u.path, place)), array_agg(u.slot)
      FROM unnest(vals, paths, slots) AS u(value, path, slot)
     WHERE CASE
       WHEN jsonb_typeof(u.value) = 'array' THEN jsonb_array_length(u.value) >= least AND jsonb_array_length(u.value) > place
       ELSE false
     END
    HAVING count(*) > 0;
  END LOOP;
  IF plan -> rest <> '{}' THEN
    RETURN QUERY
    SELECT rest, array_agg(e.value), array_agg(u.path || '[' || e.ordinal - 1 || ']'), array_agg(u.slot)
      FROM unnest(vals, paths, slots) AS u(value, path, slot)
     CROSS JOIN LATERAL jsonb_array_elements(
       CASE
         WHEN jsonb_typeof(u.value) <> 'array' THEN '[]'
         WHEN jsonb_array_length(u.value) > most THEN '[]'
         ELSE u.value
       END
     ) WITH ORDINALITY AS e(value, ordinal)
     WHERE e.ordinal > places
    HAVING count(*) > 0;
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap.item_tasks(jsonb, jsonb, jsonb[], text[], integer[]) FROM PUBLIC;
