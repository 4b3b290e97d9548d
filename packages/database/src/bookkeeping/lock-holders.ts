import type { SqlSession } from "../connection/sql-session.ts";
import type { WatermarkHolder } from "../subscriptions/watermark-holder.ts";

/** A session that holds locks for which others wait, for example appends to a stream that it has written to. */
export interface LockHolder extends WatermarkHolder {
  /** Number of waiting sessions, including indirect waits; at most a hundred are examined. */
  readonly waiting: number;
}

const HOLDERS = `
SELECT pid, coalesce(login, '') AS login, coalesce(query, '') AS query, coalesce(state, 'unknown') AS state,
       greatest(0, round(coalesce(age_ms, 0)))::bigint AS "ageMs",
       coalesce(application_name, '') AS "applicationName", waiting
  FROM synap.lock_holders()`;

/** Reads the sessions for whose locks others wait now: at most ten, none of which waits itself. */
export function lockHolders(session: SqlSession): Promise<LockHolder[]> {
  return session.query<LockHolder>(HOLDERS);
}
