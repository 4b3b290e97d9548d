import type { SqlSession } from "@synap/database";
import { READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { AsOfTooLongError } from "../projections/projection-errors.ts";
import { defineReadModel } from "./read-model.ts";

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

/** Sums up the days from one to another (both inclusive, YYYY-MM-DD, UTC): every event that is stored is counted. */
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

const EVENTS_AROUND = `
SELECT coalesce(sum(count) FILTER (WHERE last_position <= $1), 0)::bigint AS "before",
       coalesce(sum(count) FILTER (WHERE last_position > $1), 0)::bigint AS "after"
  FROM synap.appends`;

const FIGURES = `day, event_type COLLATE "C" AS event_type, actor_kind COLLATE "C" AS actor_kind`;

/** The figures up to a position: counted from the beginning, or what there is without what came later. */
const FIGURES_OF_THEN = {
  before: `
SELECT ${FIGURES}, events, with_user, with_correlation FROM synap.figures_between(0, $3) WHERE event_type IS NOT NULL`,
  after: `
SELECT ${FIGURES}, events, with_user, with_correlation FROM synap_read.compliance_stats
UNION ALL
SELECT ${FIGURES}, -events, -with_user, -with_correlation FROM synap.figures_between($3, 9223372036854775807) WHERE event_type IS NOT NULL`,
};

/**
 * Sums up the days as they were at a position of the log, by counting the events before it or after it, whichever are fewer.
 *
 * @throws AsOfTooLongError when those are more than `maxEvents`
 */
export async function complianceStatsAt(
  session: SqlSession,
  { from, to }: { readonly from: string; readonly to: string },
  {
    position,
    maxEvents = Number.POSITIVE_INFINITY,
  }: { readonly position: number; readonly maxEvents?: number | undefined },
): Promise<ComplianceStatistics[]> {
  const [around] = await session.query<{ before: number; after: number }>(EVENTS_AROUND, [position]);
  const { before = 0, after = 0 } = around ?? {};
  if (Math.min(before, after) > maxEvents) throw new AsOfTooLongError("compliance", maxEvents);
  return session.query<ComplianceStatistics>(
    `SELECT event_type AS "eventType", actor_kind AS "actorKind", sum(events)::bigint AS events,
            sum(with_user)::bigint AS "withUser", sum(with_correlation)::bigint AS "withCorrelation"
       FROM (${FIGURES_OF_THEN[before <= after ? "before" : "after"]}) AS figures
      WHERE day BETWEEN $1::date AND $2::date
      GROUP BY 1, 2 HAVING sum(events) > 0 ORDER BY 1, 2`,
    [from, to, position],
  );
}

/** The compliance figures over HTTP. */
export const complianceReadModel = defineReadModel({
  path: "compliance",
  description: "Events per day, type and kind of actor, and how many of them name a user or a flow",
  writtenBy: [],
  parameters: READ_MODEL_REQUESTS.compliance.query,
  response: READ_MODEL_RESOURCES.Compliance,
  read: async (session, period) => ({ statistics: await complianceStats(session, period) }),
  readPast: async (session, period, then) => ({ statistics: await complianceStatsAt(session, period, then) }),
});
