import { counted } from "@synap/types/internal";
import type { SqlSession } from "../connection/sql-session.ts";

/** A session that may be using up a shared resource. */
export interface SuspectedSession {
  /** Process id on the database server, for `pg_terminate_backend`. */
  readonly pid: number;
  readonly login: string;
  /** The database it is connected to: any of the server. */
  readonly database: string;
  readonly applicationName: string;
  /** Age of its transaction, in milliseconds; null when the server does not show it. */
  readonly ageMs: number | null;
  /** Number of its locks; only for the resource "locks". */
  readonly locks?: number | undefined;
}

/** A resource shared by all sessions of the database server that is nearly used up. */
export interface SharedResource {
  /**
   * notifications: the queue of NOTIFY. Above half full, appends send no notifications, and readers find events by polling.
   * locks: the lock table. When it is full, appends fail and are tried again.
   */
  readonly resource: "notifications" | "locks";
  /** From 0 to 1. */
  readonly used: number;
  /** The three sessions to check first: those with the oldest transactions, or with the most locks. */
  readonly sessions: readonly SuspectedSession[];
}

/** Finds shared resources that are nearly used up: notifications from a quarter on, locks from half on. */
export async function lowSharedResources(session: SqlSession): Promise<SharedResource[]> {
  return session.query<SharedResource>("SELECT resource, used, sessions FROM synap.shared_resources()");
}

/** Describes a resource, the suspected sessions and the remedy in one sentence. */
export function describeSharedResource({ resource, used, sessions }: SharedResource): string {
  const what = resource === "notifications" ? "queue of notifications" : "lock table";
  const who = sessions.map(({ pid, login, database, ageMs, locks }) => {
    const facts = [
      ...(locks === undefined ? [] : [counted(locks, "lock")]),
      ...(ageMs === null ? [] : [`in a transaction for ${Math.round(ageMs / 1000)} s`]),
    ];
    return `process ${pid} of login ${login} in database ${database}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}`;
  });
  const end =
    sessions.length === 0
      ? "no suspected session is visible"
      : `end the session that causes it with pg_terminate_backend(pid), after checking ${who.join("; ")}`;
  return `the database server's ${what} is ${Math.round(used * 100)} % full: ${end}`;
}
