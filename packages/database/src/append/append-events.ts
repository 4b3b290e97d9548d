import type { SynapEvent } from "@synap/types";
import { withLockTimeout } from "../connection/lock-timeout.ts";
import { epochMs } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";

/** One call of the SQL function takes this many events at the most: a position has ten bits for the place. */
export const MAX_APPEND_EVENTS = 1024;

/** What the SQL function says of one event. */
export interface AppendRow {
  readonly status: "stored" | "duplicate" | "conflict" | "closed";
  readonly id: string;
  readonly position: number | null;
  readonly stream_version: number | null;
  readonly recorded_at: number | null;
}

// The text is cast here: as a jsonb parameter, drivers would write JSON text as a JSON string.
const APPEND = `
SELECT status, id, "position", stream_version, ${epochMs("recorded_at")} AS recorded_at
  FROM synap.append_events($1::text::jsonb)
 ORDER BY place`;

/**
 * Appends up to 1,024 complete events in one round trip and answers one row for each, in the same order.
 * @throws SQLSTATE 40001 when another transaction stored one of the ids at the same moment: run it again.
 */
export function appendEvents(session: SqlSession, events: readonly SynapEvent[]): Promise<AppendRow[]> {
  return session.query<AppendRow>(APPEND, [JSON.stringify(events)]);
}

const writeAtomically = (before: string, expectations: string) => `
SELECT status, id, "position", stream_version, ${epochMs("recorded_at")} AS recorded_at
  FROM ${before}synap.append_events($1::text::jsonb, ${expectations}, true)
 ORDER BY place`;

const APPEND_ATOMICALLY = writeAtomically("", "$2::text::jsonb");
const APPEND_ATOMICALLY_WITH_LOCK_TIMEOUT = withLockTimeout(writeAtomically, "$2::text::jsonb", "$3");

/**
 * The same, all or nothing, and only if the streams are as expected.
 * @param lockTimeout longest time to wait for a lock, in milliseconds, here and in the rest of the transaction
 * @throws SQLSTATE SY001 for an expectation that isn't met, SY006 for a closed stream, SY007 for an id that is taken.
 */
export function appendAtomically(
  session: SqlSession,
  events: readonly SynapEvent[],
  expectations: readonly object[],
  lockTimeout?: number,
): Promise<AppendRow[]> {
  const parameters = [JSON.stringify(events), JSON.stringify(expectations)];
  if (lockTimeout === undefined) return session.query<AppendRow>(APPEND_ATOMICALLY, parameters);
  return session.query<AppendRow>(APPEND_ATOMICALLY_WITH_LOCK_TIMEOUT, [...parameters, String(lockTimeout)]);
}
