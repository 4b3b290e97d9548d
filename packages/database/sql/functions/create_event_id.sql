-- Creates an event id: a UUID version 7, so that ids sort by creation time.
CREATE OR REPLACE FUNCTION synap.create_event_id() RETURNS uuid
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT encode(
           set_byte(
             overlay(
               uuid_send(gen_random_uuid())
               PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6
             ),
             6, (get_byte(uuid_send(gen_random_uuid()), 0) & 15) | 112
           ), 'hex')::uuid
$$;

REVOKE ALL ON FUNCTION synap.create_event_id() FROM PUBLIC;
