import type { SqlSession } from "../connection/sql-session.ts";

/** Maximum number of events of one call. They take about 0.1 s on the embedded engine, which does nothing else meanwhile. */
const EVENTS_AT_ONCE = 5_000;

/**
 * Counts the next events for `synap_read.compliance_stats`, which otherwise counts them whenever it is read.
 *
 * @returns false when none is left, or another process is counting
 */
export async function countEvents(session: SqlSession): Promise<boolean> {
  const [row] = await session.query<{ more: boolean }>("SELECT synap.count_events($1) AS more", [
    EVENTS_AT_ONCE,
  ]);
  return row?.more ?? false;
}
