-- Returns the id of the event that an event with this metadata corrects or retracts; null if it amends none. As amendmentOf of @synap/types.
CREATE OR REPLACE FUNCTION synap.amended_event(metadata jsonb) RETURNS uuid
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT f.value::uuid
    FROM unnest(ARRAY[metadata ->> 'corrects', metadata ->> 'retracts']) WITH ORDINALITY AS f(value, ordinal)
   WHERE f.value ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
   ORDER BY f.ordinal
   LIMIT 1
$$;

REVOKE ALL ON FUNCTION synap.amended_event(jsonb) FROM PUBLIC;
