import type { SqlSession } from "../connection/sql-session.ts";

/** What waits for a decision, for one handler. */
export interface DeadLetterBacklog {
  readonly handler: string;
  /** Dead letters that nobody has dealt with. */
  readonly open: number;
  /** Events that wait behind dead letters, or to be handled now that somebody has decided. */
  readonly parked: number;
}

const BACKLOG = `
SELECT handler, sum(open)::bigint AS open, sum(parked)::bigint AS parked
  FROM (
    SELECT handler, count(*) AS open, 0 AS parked FROM synap.dead_letters WHERE status = 'open' GROUP BY handler
    UNION ALL
    SELECT handler, 0, count(*) FROM synap.parked_events GROUP BY handler
  ) AS b
 GROUP BY handler
 ORDER BY handler`;

/** Every handler for which something waits for a decision, by name. */
export async function deadLetterBacklog(session: SqlSession): Promise<DeadLetterBacklog[]> {
  return session.query<DeadLetterBacklog>(BACKLOG);
}
