-- Raises SY017 for a page of synap_visible.audit_entries_of_user that would come to an archived event. Runs as the owner, because the role may
-- read no table, with the condition of the view.
CREATE OR REPLACE FUNCTION synap_visible.refuse_archived_entries_of_user(
  of_actor text, of_subject_type text, of_subject_id text, before_position bigint, max_entries integer
)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  self     CONSTANT text := nullif(current_setting('synap.visible_to', true), '');
  before   CONSTANT bigint := coalesce(before_position, 9223372036854775807);
  archived synap.archived_chunks;
BEGIN
  IF self IS NULL THEN
    RETURN;
  END IF;
  archived := synap.archived_before(before, ARRAY[
    synap.archive_key('user', self), synap.archive_key('creator', of_actor),
    synap.archive_key('stream', of_subject_type || '/' || of_subject_id)]);
  IF archived.chunk IS NOT NULL AND max_entries > (
    SELECT count(*)
      FROM (
        SELECT FROM synap.events AS e
         WHERE e.user_id = self AND e."position" > archived.last_position AND e."position" < before
           AND (of_actor IS NULL OR e.created_by = of_actor)
           AND (of_subject_id IS NULL OR e.aggregate_type = of_subject_type AND e.aggregate_id = of_subject_id)
         LIMIT max_entries
      ) AS later)
  THEN
    PERFORM synap.refuse_archived(archived);
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap_visible.refuse_archived_entries_of_user(text, text, text, bigint, integer) FROM PUBLIC;
SELECT synap.grant_to_reader(
  'EXECUTE', 'FUNCTION synap_visible.refuse_archived_entries_of_user(text, text, text, bigint, integer)');
