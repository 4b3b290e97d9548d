import { counted } from "@synap/types/internal";
import { refuseArchived } from "../archive/archived-events.ts";
import {
  type EventStats,
  type EventStatsRequest,
  eventStats,
  type StatsRow,
  statsOf,
} from "../bookkeeping/event-stats.ts";
import type { Database } from "../connection/sql-session.ts";
import type { Visibility } from "./visibility.ts";
import { visibleSessions } from "./visible-sessions.ts";

/** Maximum number of events that are counted one by one for a statistic. */
const MAX_COUNTED_EVENTS = 100_000;

/** Thrown when a caller who may not see every row has more events in a period than are counted for him. */
export class PeriodTooLargeError extends Error {
  override readonly name = "PeriodTooLargeError";
  readonly code = "PERIOD_TOO_LARGE";

  constructor({ from, to }: EventStatsRequest, maxEvents: number) {
    super(
      `From ${from} to ${to} there are more than ${counted(maxEvents, "event")}, which are counted one by one. Ask for fewer days.`,
    );
  }
}

// One event more than are counted shows that there are too many.
const OWN_STATS = `
WITH own AS MATERIALIZED (
  SELECT (e."timestamp" AT TIME ZONE 'UTC')::date AS day, e.type, e.source, e.created_by
    FROM synap.events AS e
   WHERE e."timestamp" BETWEEN $1 AND $2
   LIMIT $4
), counted AS (
  SELECT CASE WHEN grouping(o.day) = 0 THEN 'day' WHEN grouping(o.type) = 0 THEN 'type' WHEN grouping(o.source) = 0 THEN 'source'
              ELSE 'creator' END AS kind,
         coalesce(o.day::text, o.type, o.source, o.created_by) AS name, count(*) AS events
    FROM own AS o
   GROUP BY GROUPING SETS ((o.day), (o.type), (o.source), (o.created_by))
), ranked AS (
  SELECT c.kind, c.name, c.events, row_number() OVER (PARTITION BY c.kind ORDER BY c.events DESC, c.name COLLATE "C") AS place
    FROM counted AS c
   UNION ALL
  SELECT 'archived', json_build_object('chunk', a.chunk, 'firstPosition', a.first_position, 'lastPosition', a.last_position)::text, 0, 1
    FROM synap.archived_chunks AS a
   WHERE a.state = 'dropped' AND a.min_timestamp <= $2 AND a.max_timestamp >= $1
)
SELECT r.kind, r.name, r.events FROM ranked AS r
 WHERE r.kind = 'day' OR r.place <= $3
 ORDER BY r.kind, r.events DESC, r.name COLLATE "C"`;

/**
 * Reads the numbers of events of a period that a caller may see. Those of all come from the figures that are kept behind the log; those
 * of a user or an actor are counted through his view.
 *
 * @param maxEvents the number of a user's or an actor's events that are counted. Default: 100,000
 * @throws PeriodTooLargeError, EventsArchivedError when some of them may be archived, VisibilityUnavailableError, RangeError as `visibleValue`
 */
export async function visibleEventStats(
  database: Database,
  visibility: Visibility,
  request: EventStatsRequest,
  maxEvents: number = MAX_COUNTED_EVENTS,
): Promise<EventStats> {
  if ("all" in visibility) return eventStats(database, request);
  const { from, to, limit } = request;
  const session = visibleSessions(database, visibility, "events");
  const first = new Date(`${from}T00:00:00.000Z`);
  const last = new Date(`${to}T23:59:59.999Z`);
  const rows = await session.query<StatsRow | ArchivedRow>(OWN_STATS, [first, last, limit, maxEvents + 1]);
  refuseArchived(rows.find(isArchived)?.name);
  const stats = statsOf(rows.filter((row) => !isArchived(row)));
  if (stats.events > maxEvents) throw new PeriodTooLargeError(request, maxEvents);
  return stats;
}

/** An archived chunk with events of the caller in the period, as JSON. */
interface ArchivedRow {
  readonly kind: "archived";
  readonly name: string;
}

function isArchived(row: StatsRow | ArchivedRow): row is ArchivedRow {
  return row.kind === "archived";
}
