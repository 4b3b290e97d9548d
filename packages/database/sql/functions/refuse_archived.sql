-- Raises SY017 for a reader that would skip the events of an archived chunk. The detail is JSON: chunk, firstPosition and lastPosition.
CREATE OR REPLACE FUNCTION synap.refuse_archived(archived synap.archived_chunks) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RAISE EXCEPTION 'events of positions % to % are archived with the chunk %', archived.first_position, archived.last_position,
    archived.chunk
    USING ERRCODE = 'SY017',
          DETAIL = json_build_object('chunk', archived.chunk, 'firstPosition', archived.first_position,
            'lastPosition', archived.last_position)::text,
          HINT = format('Bring them back: synap archive restore %s', archived.chunk);
END
$$;

REVOKE ALL ON FUNCTION synap.refuse_archived(synap.archived_chunks) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.refuse_archived(synap.archived_chunks) TO synap_app;
