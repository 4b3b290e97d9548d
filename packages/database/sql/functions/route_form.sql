-- The node that a field of an object selects; null for none. No SET clause, so that it is inlined; its callers pin search_path.
CREATE OR REPLACE FUNCTION synap.route_form(route jsonb, value jsonb) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT CASE
           WHEN pg_catalog.jsonb_typeof(value) <> 'object' THEN NULL
           WHEN value ? (route ->> 'by') THEN (route -> 'to' ->> (value -> (route ->> 'by'))::text)::integer
           ELSE (route ->> 'absent')::integer
         END
$$;

REVOKE ALL ON FUNCTION synap.route_form(jsonb, jsonb) FROM PUBLIC;
