-- Returns the issue of a correction or a retraction whose metadata is well formed: the event that it names is stored, of the same type and
-- stream, and amends none itself. None for any other event. A test compares the codes with those of @synap/types.
--
--   viewer_user     ... and viewer_creator: who must see the named event; without them it may be any
CREATE OR REPLACE FUNCTION synap.amendment_issues(
  event jsonb, viewer_user text DEFAULT NULL, viewer_creator text DEFAULT NULL
) RETURNS TABLE (path text, code text, reason text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  field CONSTANT text := CASE WHEN event -> 'metadata' ? 'corrects' THEN 'corrects' ELSE 'retracts' END;
  named CONSTANT uuid := event -> 'metadata' ->> field;
  place record;
  found record;
  archived synap.archived_ranges;
BEGIN
  IF named IS NULL THEN
    RETURN;
  END IF;
  SELECT i."timestamp", i."position" INTO place FROM synap.event_ids AS i WHERE i.id = named;
  -- EXECUTE plans with these values, so that only one chunk is read.
  EXECUTE $query$
    SELECT e.type, e.aggregate_type, e.aggregate_id, e.metadata
      FROM synap.events AS e
     WHERE e."timestamp" = $1 AND e."position" = $2
       AND CASE WHEN $3 IS NOT NULL THEN e.user_id = $3 ELSE $4 IS NULL OR e.created_by = $4 END
  $query$ INTO found USING place."timestamp", place."position", viewer_user, viewer_creator;
  path := 'metadata.' || field;
  SELECT r.* INTO archived FROM synap.archived_ranges AS r WHERE r.last_position >= place."position" ORDER BY r.last_position LIMIT 1;
  IF found.type IS NULL AND viewer_user IS NULL AND viewer_creator IS NULL AND archived.first_position <= place."position" THEN
    code := 'amended-event-archived';
    reason := format('names an event that is archived: restore the chunk %s first', archived.chunk);
  ELSIF found.type IS NULL THEN
    code := 'amended-event-unknown';
    reason := 'names an event that is not stored';
  ELSIF (found.type, found.aggregate_type, found.aggregate_id)
        IS DISTINCT FROM (event ->> 'type', event ->> 'aggregateType', event ->> 'aggregateId') THEN
    code := 'amended-event-other';
    reason := 'names an event of another type or stream';
  ELSIF synap.amended_event(found.metadata) IS NOT NULL THEN
    code := 'amends-amendment';
    reason := format('names a %s: name the original, %s',
                     CASE WHEN found.metadata ? 'corrects' THEN 'correction' ELSE 'retraction' END,
                     synap.amended_event(found.metadata));
  ELSE
    RETURN;
  END IF;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION synap.amendment_issues(jsonb, text, text) FROM PUBLIC;
