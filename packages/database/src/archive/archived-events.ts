import type { SqlSession } from "../connection/sql-session.ts";
import { type ArchivedPlace, EventsArchivedError } from "../events-archived.ts";

// Each of these is part of the statement that reads, or of its transaction: the tables that it names are locked before the chunks are, and
// dropping or restoring a chunk needs these tables alone. So what a statement sees of the events and of the archive is of one moment.

/** SQL: the members of an {@link ArchivedPlace}, of a row `c` of the archived chunks. */
export const PLACE = "'chunk', c.chunk, 'firstPosition', c.first_position, 'lastPosition', c.last_position";

/** SQL: the first archived chunk with events after the position $1 up to $2, as JSON; null without one. */
export const ARCHIVED_BETWEEN = `
    SELECT (SELECT json_build_object(${PLACE})::text FROM synap.archived_chunks AS c WHERE c.chunk = r.chunk)
      FROM (
        SELECT n.first_position, n.chunk FROM synap.archived_ranges AS n
         WHERE n.last_position > $1 ORDER BY n.last_position LIMIT 1
      ) AS r
     WHERE r.first_position <= $2`;

/** Throws for what is archived of a range. @throws EventsArchivedError */
export function refuseArchived(archived: string | undefined): void {
  // Written by the database.
  if (archived !== undefined) throw new EventsArchivedError(JSON.parse(archived) as ArchivedPlace);
}

/** SQL: the oldest archived chunk that may have events of a key, as JSON; null without one. @param key SQL for the hash */
export function archivedOfKey(key: string): string {
  return `
    SELECT json_build_object(${PLACE})::text
      FROM synap.archived_keys AS k
      JOIN synap.archived_chunks AS c ON c.number = k.chunk
     WHERE k.hash = ${key}::bigint
     ORDER BY c.first_position
     LIMIT 1`;
}

const OF_POSITIONS = `
SELECT json_build_object(${PLACE})::text AS archived
  FROM (SELECT p::bigint AS "position" FROM jsonb_array_elements_text($1::text::jsonb) AS p) AS w
 CROSS JOIN LATERAL (
    SELECT r.first_position, r.chunk FROM synap.archived_ranges AS r
     WHERE r.last_position >= w."position" ORDER BY r.last_position LIMIT 1
  ) AS r
  JOIN synap.archived_chunks AS c ON c.chunk = r.chunk
 WHERE r.first_position <= w."position"
 LIMIT 1`;

/** Throws if one of the events at these positions is archived. @throws EventsArchivedError */
export async function refuseArchivedPositions(
  session: SqlSession,
  positions: readonly number[],
): Promise<void> {
  const [row] = await session.query<{ archived: string }>(OF_POSITIONS, [JSON.stringify(positions)]);
  refuseArchived(row?.archived);
}
