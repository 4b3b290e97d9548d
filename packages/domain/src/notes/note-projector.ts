import { defineHandler } from "@synap/handlers";
import { noteCreationCompleted, type StoredEventOf } from "@synap/types";

/**
 * Maintains `synap_domain.notes`: one row for each note, from its latest `note.creation.completed`. Inline, so that a
 * note can be read as soon as its event is stored. A batch takes one statement. An event never overwrites a later one, so
 * events may be handled again, in any grouping.
 */
export const noteProjector = defineHandler({
  name: "note-projector",
  description: "Maintains the table of notes.",
  events: [noteCreationCompleted],
  mode: "inline",
  async handle(events, { transaction }) {
    await transaction.query(
      `INSERT INTO synap_domain.notes AS kept
         (id, user_id, title, content, tags, created_by, created_at, correlation_id, event_id, position)
       SELECT DISTINCT ON (id)
         id, user_id, title, content, coalesce(tags, '[]'), created_by, created_at, correlation_id, event_id, position
       FROM jsonb_to_recordset($1::text::jsonb) AS note (
         id text, user_id text, title text, content text, tags jsonb, created_by text, created_at timestamptz,
         correlation_id text, event_id uuid, position bigint
       )
       ORDER BY id, position DESC
       ON CONFLICT (id) DO UPDATE SET
         user_id = excluded.user_id,
         title = excluded.title,
         content = excluded.content,
         tags = excluded.tags,
         created_by = excluded.created_by,
         created_at = excluded.created_at,
         correlation_id = excluded.correlation_id,
         event_id = excluded.event_id,
         position = excluded.position
       WHERE kept.position < excluded.position`,
      [JSON.stringify(events.map(toRow))],
    );
  },
  async forget(events, { transaction }) {
    const notes = events.filter(({ aggregateType }) => aggregateType === "note");
    await transaction.query(FORGET, [JSON.stringify(notes.map(({ position }) => position))]);
  },
});

/** Removes the notes whose row was written because of these events. */
const FORGET = `
DELETE FROM synap_domain.notes
 WHERE position IN (SELECT value::bigint FROM jsonb_array_elements_text($1::text::jsonb))`;

function toRow(event: StoredEventOf<readonly [typeof noteCreationCompleted]>): Record<string, unknown> {
  const { content, title, tags } = event.data;
  return {
    id: event.aggregateId,
    user_id: event.userId,
    title,
    content,
    tags,
    created_by: event.createdBy,
    created_at: event.timestamp,
    correlation_id: event.correlationId,
    event_id: event.id,
    position: event.position,
  };
}
