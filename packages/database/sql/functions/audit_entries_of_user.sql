-- As synap.audit_entries, of the events that carry the id of the user in the setting synap.visible_to. synap_reader executes it, and
-- reads the user's view. They are all sorted by position for a page: the index of users has them in the order of time.
CREATE OR REPLACE FUNCTION synap_visible.audit_entries_of_user(
  of_actor text, of_subject_type text, of_subject_id text, before_position bigint, max_entries integer
)
RETURNS SETOF synap_read.audit_log
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
BEGIN
  PERFORM synap_visible.refuse_archived_entries_of_user(of_actor, of_subject_type, of_subject_id, before_position, max_entries);
  RETURN QUERY
    WITH own AS MATERIALIZED (
      SELECT e."position", e."timestamp", e.recorded_at, e.id, e.created_by, e.user_id, e.type, e.aggregate_type, e.aggregate_id,
             e.stream_version, e.source, e.request_id, e.causation_id, e.correlation_id
        FROM synap_visible.events_of_user AS e
       WHERE e."position" < coalesce(before_position, 9223372036854775807)
         AND (of_actor IS NULL OR e.created_by = of_actor)
         AND (of_subject_id IS NULL OR e.aggregate_type = of_subject_type AND e.aggregate_id = of_subject_id)
    )
    SELECT * FROM own AS o
     ORDER BY o."position" DESC
     LIMIT max_entries;
END
$$;

REVOKE ALL ON FUNCTION synap_visible.audit_entries_of_user(text, text, text, bigint, integer) FROM PUBLIC;
SELECT synap.grant_to_reader('EXECUTE', 'FUNCTION synap_visible.audit_entries_of_user(text, text, text, bigint, integer)');
