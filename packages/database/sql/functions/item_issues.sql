-- The arrays that have too few or too many items for a tuple, and the items that are missing; see synap.check_issues.
CREATE OR REPLACE FUNCTION synap.item_issues(n jsonb, vals jsonb[], paths text[], slots integer[])
RETURNS SETOF synap.check_issue
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  WITH tuple AS (
    SELECT u.path, u.slot, jsonb_array_length(u.value) AS size, (n #>> '{tuple,least}')::integer AS least,
           jsonb_array_length(n #> '{tuple,prefix}') AS places
      FROM unnest(vals, paths, slots) AS u(value, path, slot)
     WHERE n ? 'tuple' AND jsonb_typeof(u.value) = 'array'
    OFFSET 0
  )
  SELECT ROW(t.slot, t.path, CASE WHEN t.size < t.least THEN 'too-small' ELSE 'too-big' END,
             format('must have %s items', CASE WHEN t.least = t.places THEN t.places::text ELSE format('%s to %s', t.least, t.places) END),
             true, NULL)::synap.check_issue
    FROM tuple AS t
   WHERE n #> '{tuple,rest}' = 'null' AND t.size NOT BETWEEN t.least AND t.places
  UNION ALL
  SELECT ROW(t.slot, format('%s[%s]', t.path, p.place), 'missing', 'is required', true, NULL)::synap.check_issue
    FROM tuple AS t
   CROSS JOIN LATERAL jsonb_array_elements_text(n #> '{tuple,needed}') AS p(place)
   WHERE t.size <= p.place::integer
$$;

REVOKE ALL ON FUNCTION synap.item_issues(jsonb, jsonb[], text[], integer[]) FROM PUBLIC;
