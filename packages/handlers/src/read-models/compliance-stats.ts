import type { SqlSession } from "@synap/database";
import { defineStatementProjection } from "../projections/projection.ts";

/**
 * Maintains `synap_read.compliance_stats`: for each day (in UTC, by timestamp), event type and kind of actor, the number of
 * events, of events that name a user, and of events that belong to a flow.
 */
export const complianceStatsProjection = defineStatementProjection({
  name: "compliance-stats",
  version: 1,
  description: "Counts the events of each day by type and kind of actor.",
  events: "all",
  mode: "async",
  tables: [
    {
      name: "compliance_stats",
      // The days of a period are adjacent in the primary key.
      key: ["day", "event_type", "actor_kind"],
      columns: `day date NOT NULL, event_type text NOT NULL COLLATE "C", actor_kind text NOT NULL COLLATE "C",
        events bigint NOT NULL, with_user bigint NOT NULL, with_correlation bigint NOT NULL,
        first_position bigint NOT NULL, last_position bigint NOT NULL`,
    },
  ],
  statement: {
    columns: ["timestamp", "type", "created_by", "user_id", "correlation_id", "position"],
    write: (table) => `
      INSERT INTO ${table("compliance_stats")} AS kept
        (day, event_type, actor_kind, events, with_user, with_correlation, first_position, last_position)
      SELECT (e."timestamp" AT TIME ZONE 'UTC')::date AS day, e.type COLLATE "C" AS event_type,
             split_part(e.created_by, ':', 1) COLLATE "C" AS actor_kind,
             count(*), count(e.user_id), count(e.correlation_id), min(e."position"), max(e."position")
        FROM events AS e
       GROUP BY 1, 2, 3
      ON CONFLICT (day, event_type, actor_kind) DO UPDATE
         SET events = kept.events + excluded.events,
             with_user = kept.with_user + excluded.with_user,
             with_correlation = kept.with_correlation + excluded.with_correlation,
             first_position = least(kept.first_position, excluded.first_position),
             last_position = greatest(kept.last_position, excluded.last_position)`,
  },
});

/** The figures of a period for one event type and kind of actor. */
export interface ComplianceStatistics {
  readonly eventType: string;
  /** "user", "agent" or "system". */
  readonly actorKind: string;
  readonly events: number;
  /** Events with a user id. */
  readonly withUser: number;
  /** Events with a correlation id. */
  readonly withCorrelation: number;
}

/** Sums up the days from one to another (both inclusive, YYYY-MM-DD, UTC). */
export function complianceStats(
  session: SqlSession,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<ComplianceStatistics[]> {
  return session.query<ComplianceStatistics>(
    `SELECT event_type AS "eventType", actor_kind AS "actorKind", sum(events)::bigint AS events,
            sum(with_user)::bigint AS "withUser", sum(with_correlation)::bigint AS "withCorrelation"
       FROM synap_read.compliance_stats WHERE day BETWEEN $1::date AND $2::date
      GROUP BY 1, 2 ORDER BY 1, 2`,
    [from, to],
  );
}
