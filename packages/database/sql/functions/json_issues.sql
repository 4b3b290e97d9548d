-- Returns the values in "root" that JavaScript would change, and violations of the limits: 32 levels, 50,000 values.
CREATE OR REPLACE FUNCTION synap.json_issues(root jsonb, at text) RETURNS TABLE (path text, code text, reason text)
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE walk AS (
    SELECT at AS path, root AS value, NULL::text AS key, 1 AS depth
    UNION ALL
    SELECT child.path, child.value, child.key, walk.depth + 1
      FROM walk
     CROSS JOIN LATERAL (
       SELECT synap.field_path(walk.path, o.key) AS path, o.value, o.key
         FROM jsonb_each(CASE WHEN jsonb_typeof(walk.value) = 'object' THEN walk.value ELSE '{}' END) AS o
       UNION ALL
       SELECT format('%s[%s]', walk.path, a.ordinal - 1), a.value, NULL
         FROM jsonb_array_elements(CASE WHEN jsonb_typeof(walk.value) = 'array' THEN walk.value ELSE '[]' END)
              WITH ORDINALITY AS a(value, ordinal)
     ) AS child
     WHERE walk.depth <= 32
       AND jsonb_typeof(walk.value) IN ('object', 'array')
  ),
  seen AS MATERIALIZED (
    SELECT walk.*, jsonb_typeof(walk.value) AS kind FROM walk LIMIT 50001
  ),
  judged AS (
    SELECT seen.*,
           CASE WHEN kind = 'number' THEN synap.number_fault((value #>> '{}')::numeric) END AS fault
      FROM seen
  )
  SELECT at, 'too-many-values', 'holds more than 50000 values'
   WHERE (SELECT count(*) FROM seen) > 50000
  UNION ALL
  SELECT path, 'too-deep', 'is nested deeper than 32 levels' FROM judged
   WHERE depth > 32 AND kind IN ('object', 'array')
  UNION ALL
  SELECT path, 'prototype-key', 'a field may not be named __proto__' FROM judged WHERE key = '__proto__'
  UNION ALL
  SELECT path, 'to-json-key', 'a field may not be named toJSON' FROM judged WHERE key = 'toJSON'
  UNION ALL
  SELECT path, fault,
         CASE fault
           WHEN 'unsafe-integer' THEN 'is a whole number beyond 9007199254740991, which loses digits: send it as text'
           WHEN 'non-finite-number' THEN 'is not a finite number'
           ELSE 'has more digits than a JavaScript number keeps: round it, or send it as text'
         END
    FROM judged WHERE fault IS NOT NULL
$$;

REVOKE ALL ON FUNCTION synap.json_issues(jsonb, text) FROM PUBLIC;
