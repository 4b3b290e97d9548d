import type { SqlSession } from "@synap/database";

/** A note as its latest event tells it. */
export interface NoteView {
  readonly id: string;
  readonly userId: string | null;
  readonly title: string | null;
  readonly content: string;
  readonly tags: readonly string[];
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly correlationId: string | null;
  /** The event that it is as told by, and that event's position. */
  readonly eventId: string;
  readonly position: number;
}

/** Which of somebody's notes. */
export interface NotesPage {
  /** Only notes with a lower position: the last one of the page before. */
  readonly before?: number | undefined;
  /** Default 100, at most 1,000. */
  readonly limit?: number;
}

/** A user's notes, the last written first. */
export function notesOf(
  session: SqlSession,
  userId: string,
  { before = Number.MAX_SAFE_INTEGER, limit = 100 }: NotesPage = {},
): Promise<NoteView[]> {
  return session.query<NoteView>(
    `SELECT id, user_id AS "userId", title, content, tags, created_by AS "createdBy", created_at AS "createdAt",
            correlation_id AS "correlationId", event_id AS "eventId", position
       FROM synap.notes WHERE user_id = $1 AND position < $2
      ORDER BY position DESC LIMIT $3`,
    [userId, before, Math.min(limit, 1_000)],
  );
}
