import type { SqlSession } from "../connection/sql-session.ts";
import type { WatermarkHolder } from "../subscriptions/watermark-holder.ts";

/** A session for whose locks others wait: appends to a stream that it has written to, for example. */
export interface LockHolder extends WatermarkHolder {
  /** How many sessions wait, those behind others included; at most a hundred are looked at. */
  readonly waiting: number;
}

const HOLDERS = `
SELECT pid, coalesce(login, '') AS login, coalesce(query, '') AS query, coalesce(state, 'unknown') AS state,
       greatest(0, round(coalesce(age_ms, 0)))::bigint AS "ageMs",
       coalesce(application_name, '') AS "applicationName", waiting
  FROM synap.lock_holders()`;

/** The sessions for whose locks others wait at this moment, ten at most: none that waits itself. */
export function lockHolders(session: SqlSession): Promise<LockHolder[]> {
  return session.query<LockHolder>(HOLDERS);
}
