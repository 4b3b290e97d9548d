import type { LogSessions } from "../connection/log-sessions.ts";
import type { SqlParameter, SqlSession } from "../connection/sql-session.ts";

const SHARE = "SELECT set_config('plan_cache_mode', 'force_generic_plan', true)";

/**
 * Runs a query with a generic plan over all chunks, made once per connection. It is cheaper than a custom plan for events of
 * one stream, user or correlation, which may be in any chunk and which each chunk's index finds quickly. In a caller's
 * transaction the setting is restored.
 */
export async function queryWithSharedPlan<Row extends object>(
  database: LogSessions,
  transaction: SqlSession | undefined,
  text: string,
  parameters: readonly SqlParameter[],
): Promise<Row[]> {
  // The embedded engine caches no plans.
  if (database.engine === "embedded") return (transaction ?? database).query<Row>(text, parameters);
  if (transaction === undefined) {
    return database.reads.transaction(async (own) => {
      const [, rows] = await Promise.all([own.query(SHARE), own.query<Row>(text, parameters)]);
      return rows;
    });
  }
  return queryInTransaction(transaction, text, parameters);
}

/** Like `queryWithSharedPlan`, for a session that is either a database or a transaction. */
export async function queryAnySessionWithSharedPlan<Row extends object>(
  session: SqlSession | LogSessions,
  text: string,
  parameters: readonly SqlParameter[],
): Promise<Row[]> {
  if ("engine" in session) return queryWithSharedPlan(session, undefined, text, parameters);
  return queryInTransaction(session, text, parameters);
}

async function queryInTransaction<Row extends object>(
  transaction: SqlSession,
  text: string,
  parameters: readonly SqlParameter[],
): Promise<Row[]> {
  const [setting] = await transaction.query<{ mode: string }>(
    "SELECT current_setting('plan_cache_mode') AS mode",
  );
  await transaction.query(SHARE);
  const rows = await transaction.query<Row>(text, parameters);
  await transaction.query("SELECT set_config('plan_cache_mode', $1, true)", [setting?.mode ?? "auto"]);
  return rows;
}
