import type { StoredEvent } from "@synap/types";
import { refuseArchivedPositions } from "../archive/archived-events.ts";
import type { LogSessions } from "../connection/log-sessions.ts";
import { epochMs } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { EVENT, type EventRow, readEventRow } from "./event-row.ts";

/** The form of a UUID. */
export const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

const FIND = `SELECT ${epochMs('"timestamp"')} AS "timestamp", "position" FROM synap.event_ids WHERE id = $1`;

// For a reader who may not see every event: the place of an id that no event has is one in the newest chunk, where there is none. The same two
// statements then answer for an event of somebody else and for none, so the time that they take does not tell which it was.
const FIND_UNTOLD = `
SELECT ${epochMs('coalesce(e."timestamp", newest.max_timestamp)')} AS "timestamp", coalesce(e."position", 0) AS "position"
  FROM (SELECT a.max_timestamp FROM synap.appends AS a ORDER BY a.number DESC LIMIT 1) AS newest
  LEFT JOIN synap.event_ids AS e ON e.id = $1`;

// With the exact time the planner considers a single chunk.
const READ = `SELECT ${EVENT} FROM synap.events WHERE "timestamp" = $1 AND "position" = $2`;

interface Place {
  readonly timestamp: number;
  readonly position: number;
}

/**
 * Finds an event by id. Two statements, because a join with the hypertable would cost a hundred times as much.
 *
 * To a reader who may not see every event an archived one is as one that was never stored: whose it is would have to be looked up in it.
 * @throws EventsArchivedError
 */
export async function getEventById(
  session: SqlSession & Pick<LogSessions, "places">,
  id: string,
): Promise<StoredEvent | undefined> {
  if (!UUID.test(id)) return undefined;
  const { places } = session;
  const [found] = await (places === undefined
    ? session.query<Place>(FIND, [id])
    : places.query<Place>(FIND_UNTOLD, [id]));
  if (found === undefined) return undefined;
  const read = () => session.query<EventRow>(READ, [new Date(found.timestamp), found.position]);
  const [row] = await read();
  if (row !== undefined) return readEventRow(row);
  if (places !== undefined) return undefined;
  await refuseArchivedPositions(session, [found.position]);
  // Restored meanwhile, or purged.
  const [restored] = await read();
  return restored === undefined ? undefined : readEventRow(restored);
}
