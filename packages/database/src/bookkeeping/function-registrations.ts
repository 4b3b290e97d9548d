import type { SqlSession } from "../connection/sql-session.ts";

/** Records that a worker has registered the functions of an Inngest app with the broker. */
export async function recordFunctionRegistration(session: SqlSession, app: string): Promise<void> {
  await session.query(
    `INSERT INTO synap.function_registrations (app) VALUES ($1)
     ON CONFLICT (app) DO UPDATE SET registered_at = clock_timestamp()`,
    [app],
  );
}

/** Checks that the functions of an Inngest app were registered with the broker at least once. */
export async function areFunctionsRegistered(session: SqlSession, app: string): Promise<boolean> {
  const rows = await session.query("SELECT FROM synap.function_registrations WHERE app = $1", [app]);
  return rows.length > 0;
}
