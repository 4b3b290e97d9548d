import {
  type BoundedRow,
  descendingPages,
  isPageCut,
  MAX_PAGE_BYTES,
  type SqlSession,
  selectBoundedRows,
} from "@synap/database";
import { defineReadModel } from "@synap/handlers";
import { DEFAULT_PAGE_SIZE, READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { notesProjection } from "./notes-projection.ts";

/** A note, as of its latest event. */
export interface NoteView {
  readonly id: string;
  readonly userId: string | null;
  readonly title: string | null;
  readonly content: string;
  readonly tags: readonly string[];
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly correlationId: string | null;
  /** Last event applied to the note, and its position. */
  readonly eventId: string;
  readonly position: number;
}

/** The notes to read: those of a user or of a creator, or all that the session shows. */
export interface NotesQuery {
  readonly userId?: string | undefined;
  /** The creator of a note's latest event, for example `agent:planner`. */
  readonly createdBy?: string | undefined;
  /** Only notes with a lower position than this: that of the last note of the previous page. */
  readonly before?: number | undefined;
  /** Default 100, at most 1,000. Fewer come when they are large. */
  readonly limit?: number;
  /** The page ends with the note that reaches this size. Default and maximum: 4 MiB. */
  readonly maxBytes?: number | undefined;
}

/** One page of notes. */
export interface NotesWithin {
  readonly notes: readonly NoteView[];
  /** True if more notes follow: continue before the last of these. */
  readonly isCut: boolean;
}

/** A statement for each set of conditions, so that each can use its index. */
function selectNotes(conditions: readonly string[]): string {
  return selectBoundedRows(
    `
  SELECT id, user_id AS "userId", title, content, tags, created_by AS "createdBy", created_at AS "createdAt",
         correlation_id AS "correlationId", event_id AS "eventId", position
    FROM synap_read.notes WHERE ${["position < $1", ...conditions].join(" AND ")}
   ORDER BY position DESC LIMIT $2`,
    "position DESC",
    "$3",
    ["content", "tags::text"],
  );
}

/** Reads notes, newest first. */
export async function notesOf(
  session: SqlSession,
  {
    userId,
    createdBy,
    before = Number.MAX_SAFE_INTEGER,
    limit = 100,
    maxBytes = MAX_PAGE_BYTES,
  }: NotesQuery = {},
): Promise<NotesWithin> {
  // One row more than requested shows whether there is a next page.
  const size = Math.min(limit, 1_000);
  const wanted = [
    ["user_id", userId],
    ["created_by", createdBy],
  ].flatMap(([column, value]) => (value === undefined ? [] : [{ column, value }]));
  const statement = selectNotes(wanted.map(({ column }, index) => `${column} = $${index + 4}`));
  const values = wanted.map(({ value }) => value);
  const rows = await session.query<NoteView & BoundedRow>(statement, [before, size + 1, maxBytes, ...values]);
  const notes = rows.slice(0, size).map(({ found: _, bytes_before: __, ...note }) => note);
  return { notes, isCut: isPageCut(rows) || rows.length > size };
}

/** Notes over HTTP. */
export const notesReadModel = defineReadModel({
  path: "notes",
  description: "Notes, newest first",
  writtenBy: [notesProjection],
  parameters: READ_MODEL_REQUESTS.notes.query,
  response: READ_MODEL_RESOURCES.Notes,
  ownRows: true,
  async read(session, { userId, createdBy, cursor, limit = DEFAULT_PAGE_SIZE }, { maxBytes }) {
    const { before, next } = descendingPages("notes", { userId, createdBy }, cursor);
    const { notes, isCut } = await notesOf(session, { userId, createdBy, limit, before, maxBytes });
    return { notes, ...next(isCut ? notes.at(-1)?.position : undefined) };
  },
});
