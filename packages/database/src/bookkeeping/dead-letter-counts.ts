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
