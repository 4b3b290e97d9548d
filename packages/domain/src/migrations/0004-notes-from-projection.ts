/**
 * Removes the notes that the handler note-projector has written: a projection maintains them now, in `synap_read.notes`, and builds them from the
 * log. Workers of the release before write on into the empty table until they are replaced. It takes no row, because a copy that nothing
 * maintains would keep what a purge removes.
 */
export const notesFromProjection = `
DROP VIEW synap_read.domain_notes, synap_read_of_user.domain_notes, synap_read_of_creator.domain_notes;
TRUNCATE synap_domain.notes;

CREATE FUNCTION synap_domain.skip_row() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$ BEGIN RETURN NULL; END $$;

CREATE TRIGGER notes_are_in_synap_read BEFORE INSERT ON synap_domain.notes
FOR EACH ROW EXECUTE FUNCTION synap_domain.skip_row();

COMMENT ON TABLE synap_domain.notes IS 'Empty: the notes are in synap_read.notes.';

-- The projection handles these events again, from the first one on.
DELETE FROM synap.parked_events WHERE handler = 'note-projector';
DELETE FROM synap.held_streams WHERE handler = 'note-projector';
UPDATE synap.dead_letters SET status = 'skipped', resolved_at = now(), resolution = 'a projection has replaced the handler'
 WHERE handler = 'note-projector' AND status = 'open';
`;
