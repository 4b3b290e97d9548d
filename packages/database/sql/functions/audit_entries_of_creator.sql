-- As synap.audit_entries, of the actor in the setting synap.visible_to, for actors that are not users; none without the setting.
--
-- Runs as the owner and applies the condition itself, because an actor may have most of the log, of which the view would sort
-- everything for a page: synap.audit_entries finds an actor's entries in the order of positions.
CREATE OR REPLACE FUNCTION synap_visible.audit_entries_of_creator(
  of_actor text, of_subject_type text, of_subject_id text, before_position bigint, max_entries integer
)
RETURNS SETOF synap_read.audit_log
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- Without it synap.audit_entries would have the entries of all.
  self CONSTANT text := nullif(current_setting('synap.visible_to', true), '');
BEGIN
  IF self IS NULL OR self LIKE 'user:%' OR of_actor <> self THEN
    RETURN;
  END IF;
  RETURN QUERY
    SELECT * FROM synap.audit_entries(self, of_subject_type, of_subject_id, before_position, max_entries);
END
$$;

REVOKE ALL ON FUNCTION synap_visible.audit_entries_of_creator(text, text, text, bigint, integer) FROM PUBLIC;
SELECT synap.grant_to_reader('EXECUTE', 'FUNCTION synap_visible.audit_entries_of_creator(text, text, text, bigint, integer)');
