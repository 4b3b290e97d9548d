-- The tasks of a discriminated union in a plan, by the field that selects a form; see synap.check_issues.
CREATE OR REPLACE FUNCTION synap.route_tasks(route jsonb, vals jsonb[], paths text[], slots integer[])
RETURNS SETOF synap.check_task
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT ROW(k.form, array_agg(k.value), array_agg(k.path), array_agg(k.slot))::synap.check_task
    FROM (SELECT u.value, u.path, u.slot, synap.route_form(route, u.value) AS form
            FROM unnest(vals, paths, slots) AS u(value, path, slot)) AS k
   WHERE k.form IS NOT NULL
   GROUP BY k.form
$$;

REVOKE ALL ON FUNCTION synap.route_tasks(jsonb, jsonb[], text[], integer[]) FROM PUBLIC;
