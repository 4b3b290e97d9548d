import { defineBatchProjection } from "@synap/handlers";
import { noteCreationCompleted, type StoredEventOf } from "@synap/types";

/**
 * Maintains `synap_read.notes`: one row for each note, from its latest `note.creation.completed`. Inline, so that a note can be read as
 * soon as its event is stored. A batch takes one statement. An event without a user leaves the note with its owner. The latest is the last
 * that was given: by validity, where it is asked for what was known.
 */
export const notesProjection = defineBatchProjection({
  name: "notes",
  version: 1,
  description: "Maintains the notes.",
  events: [noteCreationCompleted],
  mode: "inline",
  keepsOrder: true,
  tables: [
    {
      name: "notes",
      key: ["id"],
      columns: `
        id text COLLATE "C" NOT NULL, user_id text, title text, content text NOT NULL, tags jsonb NOT NULL,
        created_by text NOT NULL, created_at timestamptz NOT NULL, correlation_id text, event_id uuid NOT NULL,
        "position" bigint NOT NULL`,
      // The notes of a user, those of a creator, and all, newest first and page by page (notesOf).
      indexes: [`(user_id, "position" DESC)`, `(created_by, "position" DESC)`, `("position" DESC)`],
      owner: { userId: "user_id", createdBy: "created_by" },
    },
  ],
  async apply(events, { transaction, table }) {
    await transaction.query(
      `INSERT INTO ${table("notes")} AS kept
         (id, user_id, title, content, tags, created_by, created_at, correlation_id, event_id, "position")
       SELECT DISTINCT ON (id)
         id, first_value(user_id) OVER (PARTITION BY id ORDER BY user_id IS NULL, place DESC),
         title, content, coalesce(tags, '[]'), created_by, created_at, correlation_id, event_id, "position"
       FROM jsonb_to_recordset($1::text::jsonb) AS note (
         id text, user_id text, title text, content text, tags jsonb, created_by text, created_at timestamptz,
         correlation_id text, event_id uuid, "position" bigint, place integer
       )
       ORDER BY id, place DESC
       ON CONFLICT (id) DO UPDATE SET
         user_id = coalesce(excluded.user_id, kept.user_id),
         title = excluded.title,
         content = excluded.content,
         tags = excluded.tags,
         created_by = excluded.created_by,
         created_at = excluded.created_at,
         correlation_id = excluded.correlation_id,
         event_id = excluded.event_id,
         "position" = excluded."position"`,
      [JSON.stringify(events.map((event, place) => ({ ...toRow(event), place })))],
    );
  },
});

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
