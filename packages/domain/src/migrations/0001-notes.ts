/**
 * The schema of the seeded domain, with the table of notes that `note-projector` maintains. The table can be emptied and
 * rebuilt from the events.
 */
export const notesTable = `
CREATE SCHEMA synap_domain;
GRANT USAGE ON SCHEMA synap_domain TO synap_app;

CREATE TABLE synap_domain.notes (
  id text PRIMARY KEY,
  user_id text,
  title text,
  content text NOT NULL,
  tags jsonb NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  correlation_id text,
  event_id uuid NOT NULL,
  position bigint NOT NULL
);

COMMENT ON TABLE synap_domain.notes IS 'Read model: one row for each note. Maintained by the handler note-projector.';
COMMENT ON COLUMN synap_domain.notes.id IS 'The aggregate id of the note''s stream.';
COMMENT ON COLUMN synap_domain.notes.tags IS 'An array of texts, empty when the note has none.';
COMMENT ON COLUMN synap_domain.notes.created_at IS 'Time of creation: the timestamp of the event.';
COMMENT ON COLUMN synap_domain.notes.event_id IS 'The last event applied to the row.';
COMMENT ON COLUMN synap_domain.notes.position IS 'Position of that event; an earlier one never overwrites the row.';

-- "What did this user write last?", page by page (notesOf).
CREATE INDEX notes_by_user ON synap_domain.notes (user_id, position DESC);

GRANT SELECT, INSERT, UPDATE, DELETE ON synap_domain.notes TO synap_app;
`;
