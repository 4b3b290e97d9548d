import type { StoredEvent } from "@synap/types";
import type { LogSessions } from "../connection/log-sessions.ts";
import { epochMs } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { EVENT, type EventRow, readEventRow } from "./event-row.ts";

/** The form of a UUID. */
export const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

const FIND = `SELECT ${epochMs('"timestamp"')} AS "timestamp", "position" FROM synap.event_ids WHERE id = $1`;

// With the exact time the planner considers a single chunk.
const READ = `SELECT ${EVENT} FROM synap.events WHERE "timestamp" = $1 AND "position" = $2`;

/** Finds an event by id. Two statements, because a join with the hypertable would cost a hundred times as much. */
export async function getEventById(
  session: SqlSession & Pick<LogSessions, "places">,
  id: string,
): Promise<StoredEvent | undefined> {
  if (!UUID.test(id)) return undefined;
  const [found] = await (session.places ?? session).query<{ timestamp: number; position: number }>(FIND, [
    id,
  ]);
  if (found === undefined) return undefined;
  const [row] = await session.query<EventRow>(READ, [new Date(found.timestamp), found.position]);
  return row === undefined ? undefined : readEventRow(row);
}
