import type { SqlSession } from "../connection/sql-session.ts";

// An erasure waits 15 seconds for other processes, and is no concern meanwhile.
const UNFINISHED = `
SELECT count(*) AS erasures FROM synap.erasures
 WHERE "position" IS NULL AND begun_at < clock_timestamp() - interval '1 minute'`;

/** Counts the erasures that have begun more than a minute ago and are not finished: interrupted, or held back by a hold. */
export async function unfinishedErasures(session: SqlSession): Promise<number> {
  const [row] = await session.query<{ erasures: number }>(UNFINISHED);
  return row?.erasures ?? 0;
}
