import type { SqlSession } from "../connection/sql-session.ts";

/**
 * A session of an unrelated login that holds advisory locks with the keys of appends. The store ignores them,
 * so this is a finding about that session, not a fault of the store.
 */
export interface ForeignLocks {
  /** Process id on the database server, for `pg_terminate_backend`. */
  readonly pid: number;
  readonly login: string;
  readonly applicationName: string;
  /** Number of such locks that it holds or waits for. */
  readonly locks: number;
}

const FOREIGN = `SELECT pid, login, application_name AS "applicationName", locks FROM synap.foreign_locks()`;

/** Finds sessions that hold locks in our namespace without appending, at most ten. */
export async function foreignLocks(session: SqlSession): Promise<ForeignLocks[]> {
  return session.query<ForeignLocks>(FOREIGN);
}
