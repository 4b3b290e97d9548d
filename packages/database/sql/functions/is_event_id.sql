-- Checks that a text is a UUID of RFC 9562, including the nil and max UUID.
CREATE OR REPLACE FUNCTION synap.is_event_id(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT value ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
      OR value = '00000000-0000-0000-0000-000000000000'
      OR value = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
$$;

REVOKE ALL ON FUNCTION synap.is_event_id(text) FROM PUBLIC;
