import type { SqlSession } from "../connection/sql-session.ts";

/** Session whose unfinished append holds the watermark back. */
export interface WatermarkHolder {
  /** Process id on the database server, for `pg_terminate_backend`; 0 for a prepared transaction. */
  readonly pid: number;
  /** Login of its connection. */
  readonly login: string;
  /** Its running or last statement. Empty when the database hides it. */
  readonly query: string;
  /** As in `pg_stat_activity`: "active", "idle in transaction" and so on. */
  readonly state: string;
  /** Age of its transaction, in milliseconds. */
  readonly ageMs: number;
  readonly applicationName: string;
}

const HOLDER = "SELECT pid, login, query, state, age_ms, application_name FROM synap.watermark_holder()";

interface HolderRow {
  readonly pid: number;
  readonly login: string | null;
  readonly query: string | null;
  readonly state: string | null;
  readonly age_ms: number | null;
  readonly application_name: string | null;
}

/**
 * Finds the session that holds the watermark back; undefined when none does. Every append does until it commits, so only a
 * high age is a problem. The session's own append does not count.
 */
export async function watermarkHolder(session: SqlSession): Promise<WatermarkHolder | undefined> {
  const [row] = await session.query<HolderRow>(HOLDER);
  if (row === undefined) return undefined;
  return {
    pid: row.pid,
    login: row.login ?? "",
    query: row.query ?? "",
    state: row.state ?? "unknown",
    ageMs: Math.max(0, Math.round(row.age_ms ?? 0)),
    applicationName: row.application_name ?? "",
  };
}
