-- The tasks of the forms of a union or an intersection in a plan; see synap.check_issues. A form of a union is checked for the
-- values of a kind that it can accept.
CREATE OR REPLACE FUNCTION synap.form_tasks(n jsonb, vals jsonb[], paths text[], first_slot integer)
RETURNS SETOF synap.check_task
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT ROW(f.form::integer, array_agg(u.value), array_agg(u.path),
             array_agg((first_slot + (u.ordinal - 1) * jsonb_array_length(n -> 'forms') + f.ordinal - 1)::integer))::synap.check_task
    FROM jsonb_array_elements(n -> 'forms') WITH ORDINALITY AS f(form, ordinal)
   CROSS JOIN LATERAL unnest(vals, paths) WITH ORDINALITY AS u(value, path, ordinal)
   WHERE n -> 'candidates' -> jsonb_typeof(u.value) @> f.form
   GROUP BY f.form, f.ordinal
$$;

REVOKE ALL ON FUNCTION synap.form_tasks(jsonb, jsonb[], text[], integer) FROM PUBLIC;
