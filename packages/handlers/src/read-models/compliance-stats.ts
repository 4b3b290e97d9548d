import type { SqlSession } from "@synap/database";
import { READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
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

/** The compliance figures over HTTP. */
export const complianceReadModel = defineReadModel({
  path: "compliance",
  description: "Events per day, type and kind of actor, and how many of them name a user or a flow",
  writtenBy: [],
  parameters: READ_MODEL_REQUESTS.compliance.query,
  response: READ_MODEL_RESOURCES.Compliance,
  read: async (session, period) => ({ statistics: await complianceStats(session, period) }),
});
