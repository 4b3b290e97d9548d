import type { SqlSession } from "../connection/sql-session.ts";

/** A job of TimescaleDB itself that changes the chunks of the log past Synap. */
export interface ForeignPolicy {
  readonly job: number;
  /** The effect on chunks. */
  readonly kind: "compresses" | "drops";
}

/**
 * Finds the policies that TimescaleDB has for the log. It should have none: one that compresses puts late events beside the others, so that pages of a time range
 * may lack them, and one that drops takes whole chunks, with events of every type.
 */
export function foreignPolicies(session: SqlSession): Promise<ForeignPolicy[]> {
  return session.query<ForeignPolicy>(`
    SELECT job_id AS job, CASE WHEN proc_name = 'policy_retention' THEN 'drops' ELSE 'compresses' END AS kind
      FROM timescaledb_information.jobs
     WHERE hypertable_schema = 'synap' AND hypertable_name = 'events'
       AND proc_name IN ('policy_compression', 'policy_recompression', 'policy_retention')
     ORDER BY job_id`);
}
