import type { SqlSession } from "../connection/sql-session.ts";

/** The days of a statistic, both included (YYYY-MM-DD, UTC), and the length of its lists. */
export interface EventStatsRequest {
  readonly from: string;
  readonly to: string;
  /** Maximum number of types, of sources and of creators: those with the most events. */
  readonly limit: number;
}

/** The names with the most events, and the number of events of all others. */
export interface EventShares {
  readonly entries: readonly { readonly name: string; readonly events: number }[];
  readonly others: number;
}

/** Shares of sources or creators, of which a day keeps a limited number. */
export interface BoundedShares extends EventShares {
  /** Maximum number of events that the figure of an entry lacks; 0 if no day had more than 1,000 names. */
  readonly undercount: number;
}

/** The numbers of events of a period. */
export interface EventStats {
  readonly events: number;
  /** The days that have events. */
  readonly byDay: readonly { readonly day: string; readonly events: number }[];
  readonly byType: EventShares;
  readonly bySource: BoundedShares;
  readonly byCreator: BoundedShares;
}

// One statement, so that what was counted, its position and what the log has after it are of one snapshot.
const STATS = `
WITH rest AS MATERIALIZED (
  SELECT f.day, f.event_type, f.source, f.creator, f.events
    FROM synap.figures_between((SELECT e."position" FROM synap.event_counts_end AS e), 9223372036854775807) AS f
   WHERE f.day BETWEEN $1::text::date AND $2::text::date
), counted AS MATERIALIZED (
  SELECT c.day, c.event_type, sum(c.events)::bigint AS events
    FROM synap.event_counts AS c
   WHERE c.day BETWEEN $1::text::date AND $2::text::date
   GROUP BY c.day, c.event_type
), typed AS MATERIALIZED (
  SELECT c.day, c.event_type, c.events FROM counted AS c
  UNION ALL
  SELECT r.day, r.event_type, r.events FROM rest AS r WHERE r.event_type IS NOT NULL
), named AS MATERIALIZED (
  SELECT o.day, o.kind, o.name, o.events
    FROM synap.event_origins AS o
   WHERE o.day BETWEEN $1::text::date AND $2::text::date
), ranked AS (
  SELECT s.kind, s.name, s.events, row_number() OVER (PARTITION BY s.kind ORDER BY s.events DESC, s.name) AS place
    FROM (
      SELECT a.kind, a.name, sum(a.events)::bigint AS events
        FROM (
          SELECT 'type' AS kind, t.event_type AS name, t.events FROM typed AS t
          UNION ALL
          SELECT n.kind, n.name, n.events FROM named AS n
          UNION ALL
          SELECT 'source', r.source, r.events FROM rest AS r WHERE r.source IS NOT NULL
          UNION ALL
          SELECT 'creator', r.creator, r.events FROM rest AS r WHERE r.creator IS NOT NULL
        ) AS a
       GROUP BY a.kind, a.name
    ) AS s
), unnamed AS (
  -- Of each day, the events that are in no row: at most a 1,001st of them is missing from a name.
  SELECT k.kind, sum((d.events - coalesce(n.events, 0)) / 1001)::bigint AS events
    FROM (SELECT c.day, sum(c.events)::bigint AS events FROM counted AS c GROUP BY c.day) AS d
   CROSS JOIN (VALUES ('source'), ('creator')) AS k (kind)
    LEFT JOIN (
      SELECT o.day, o.kind, sum(o.events)::bigint AS events FROM named AS o GROUP BY o.day, o.kind
    ) AS n ON n.day = d.day AND n.kind = k.kind
   GROUP BY k.kind
)
SELECT 'day' AS kind, t.day::text AS name, sum(t.events)::bigint AS events FROM typed AS t GROUP BY t.day
UNION ALL
SELECT r.kind, r.name, r.events FROM ranked AS r WHERE r.place <= $3
UNION ALL
SELECT u.kind || '-undercount', '', u.events FROM unnamed AS u
 ORDER BY 1, 3 DESC, 2`;

/** One figure of a statistic. */
export interface StatsRow {
  readonly kind: "day" | "type" | "source" | "creator" | "source-undercount" | "creator-undercount";
  readonly name: string;
  readonly events: number;
}

/**
 * Reads the numbers of events of a period by day, type, source and creator. They are those of all committed events: what
 * `countEvents` has counted, and the events after it.
 */
export async function eventStats(
  session: SqlSession,
  { from, to, limit }: EventStatsRequest,
): Promise<EventStats> {
  return statsOf(await session.query<StatsRow>(STATS, [from, to, limit]));
}

/** Puts the figures of a period together: those of every day, and of each other kind those with the most events. */
export function statsOf(rows: readonly StatsRow[]): EventStats {
  const of = (kind: StatsRow["kind"]) =>
    rows.filter((row) => row.kind === kind).map(({ name, events }) => ({ name, events }));
  const byDay = of("day").map(({ name, events }) => ({ day: name, events }));
  const events = byDay.reduce((sum, day) => sum + day.events, 0);
  const shares = (kind: "type" | "source" | "creator"): EventShares => {
    const entries = of(kind);
    return { entries, others: entries.reduce((rest, entry) => rest - entry.events, events) };
  };
  const bounded = (kind: "source" | "creator"): BoundedShares => ({
    ...shares(kind),
    undercount: of(`${kind}-undercount`)[0]?.events ?? 0,
  });
  return {
    events,
    byDay: byDay.sort((a, b) => (a.day < b.day ? -1 : 1)),
    byType: shares("type"),
    bySource: bounded("source"),
    byCreator: bounded("creator"),
  };
}
