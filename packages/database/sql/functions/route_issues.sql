-- The objects whose field selects no form of a discriminated union in a plan; see synap.check_issues.
CREATE OR REPLACE FUNCTION synap.route_issues(route jsonb, vals jsonb[], paths text[], slots integer[])
RETURNS SETOF synap.check_issue
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT ROW(u.slot, synap.field_path(u.path, route ->> 'by'), 'no-match', 'has none of the forms that are allowed here', true,
             NULL)::synap.check_issue
    FROM unnest(vals, paths, slots) AS u(value, path, slot)
   WHERE jsonb_typeof(u.value) = 'object' AND synap.route_form(route, u.value) IS NULL
$$;

REVOKE ALL ON FUNCTION synap.route_issues(jsonb, jsonb[], text[], integer[]) FROM PUBLIC;
