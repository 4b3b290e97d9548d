-- Returns those of the streams that another transaction has locked, including a stream that it has created and not
-- committed yet, to explain a lock timeout of an append. Each lock is tried and released at once. Runs as the owner, like
-- append_new_events.
CREATE OR REPLACE FUNCTION synap.locked_streams(stream_types text[], stream_ids text[])
RETURNS TABLE (aggregate_type text, aggregate_id text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- A stream that is being created has no row to skip yet, so the insert waits for its index entry, briefly.
SET lock_timeout = '1ms'
AS $function$
#variable_conflict use_column
DECLARE
  each record;
BEGIN
  FOR each IN SELECT u.type COLLATE "C" AS type, u.id COLLATE "C" AS id
                FROM unnest(stream_types, stream_ids) AS u(type, id) ORDER BY 1, 2
  LOOP
    BEGIN
      PERFORM FROM synap.streams AS s
        WHERE s.aggregate_type = each.type AND s.aggregate_id = each.id
          FOR NO KEY UPDATE SKIP LOCKED;
      IF NOT FOUND THEN
        IF EXISTS (SELECT FROM synap.streams AS s WHERE s.aggregate_type = each.type AND s.aggregate_id = each.id) THEN
          RAISE lock_not_available;
        END IF;
        INSERT INTO synap.streams (aggregate_type, aggregate_id, version, first_timestamp, last_timestamp)
        VALUES (each.type, each.id, 0, 'infinity', '-infinity')
        ON CONFLICT DO NOTHING;
      END IF;
      RAISE EXCEPTION USING ERRCODE = 'SY008', MESSAGE = 'release the lock';
    EXCEPTION
      WHEN SQLSTATE 'SY008' THEN
        NULL;
      WHEN lock_not_available THEN
        aggregate_type := each.type;
        aggregate_id := each.id;
        RETURN NEXT;
    END;
  END LOOP;
END
$function$;

REVOKE ALL ON FUNCTION synap.locked_streams(text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.locked_streams(text[], text[]) TO synap_app;
