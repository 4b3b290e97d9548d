import type { SqlSession } from "../connection/sql-session.ts";

/** The numbers of open and of skipped dead letters of a handler. */
export interface DeadLetterCounts {
  readonly open: number;
  readonly skipped: number;
}

const COUNTS = `
SELECT count(*) FILTER (WHERE status = 'open') AS open, count(*) FILTER (WHERE status = 'skipped') AS skipped
  FROM synap.dead_letters
 WHERE handler = $1 AND status IN ('open', 'skipped')`;

/** Counts the dead letters of one handler. */
export async function deadLetterCounts(session: SqlSession, handler: string): Promise<DeadLetterCounts> {
  const [row] = await session.query<DeadLetterCounts>(COUNTS, [handler]);
  return { open: row?.open ?? 0, skipped: row?.skipped ?? 0 };
}

/** The open dead letters and parked events of one handler. */
export interface DeadLetterBacklog {
  readonly handler: string;
  /** Number of open dead letters. */
  readonly open: number;
  /** Number of events that wait behind dead letters, or to be handled after a decision. */
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

/** Reads the backlog of every handler that has one, by name. */
export async function deadLetterBacklog(session: SqlSession): Promise<DeadLetterBacklog[]> {
  return session.query<DeadLetterBacklog>(BACKLOG);
}
