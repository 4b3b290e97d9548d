-- Creates the streams of an append, if none of them exists; false, and nothing is created, if one does. The arguments are those of
-- append_new_events. A plain insert costs half of one with ON CONFLICT. Only the first and the last name are looked up: the unique
-- index knows the others, and one that exists after all costs the rows that were inserted before it. Rows are inserted, and
-- locks of other appends awaited, in the order of the names, as in append_new_events.
CREATE OR REPLACE FUNCTION synap.create_streams(
  stream_types   text[],
  stream_ids     text[],
  counts         integer[],
  firsts         timestamptz[],
  lasts          timestamptz[],
  owner_users    text[],
  owner_creators text[]
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
AS $function$
DECLARE
  total CONSTANT integer := pg_catalog.cardinality(stream_ids);
BEGIN
  -- For fewer, the savepoint of the exception handler costs more than it saves.
  IF total < 16 OR EXISTS (
    SELECT FROM synap.streams AS s
     WHERE s.aggregate_type = stream_types[1] COLLATE "C" AND s.aggregate_id = stream_ids[1] COLLATE "C"
  ) OR EXISTS (
    SELECT FROM synap.streams AS s
     WHERE s.aggregate_type = stream_types[total] COLLATE "C" AND s.aggregate_id = stream_ids[total] COLLATE "C"
  ) THEN
    RETURN false;
  END IF;
  BEGIN
    INSERT INTO synap.streams (
      aggregate_type, aggregate_id, version, first_timestamp, last_timestamp, user_id, created_by
    )
    SELECT u.type COLLATE "C", u.id COLLATE "C", u.count, coalesce(u.first, 'infinity'), coalesce(u.last, '-infinity'),
           u.user_id, u.created_by
      FROM unnest(stream_types, stream_ids, counts, firsts, lasts, owner_users, owner_creators)
           AS u(type, id, count, first, last, user_id, created_by);
    RETURN true;
  EXCEPTION WHEN unique_violation THEN
    RETURN false;
  END;
END
$function$;

REVOKE ALL ON FUNCTION synap.create_streams(text[], text[], integer[], timestamptz[], timestamptz[], text[], text[]) FROM PUBLIC;
