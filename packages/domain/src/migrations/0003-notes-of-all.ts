/** The indexes for notes of a creator, and for those of all: an agent asks for its own, and staff for the newest of anybody. */
export const notesOfAll = `
CREATE INDEX notes_by_creator ON synap_domain.notes (created_by, position DESC);
CREATE INDEX notes_by_position ON synap_domain.notes (position DESC);
`;
