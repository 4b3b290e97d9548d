import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";

/** A failure of handler code outside or after its call, where nothing could catch it. */
export interface UnhandledFailure {
  /** `rejection`: a promise that nothing awaited. `exception`: thrown in a timer, a listener or another callback. */
  readonly kind: "rejection" | "exception";
  /** The handler, projection or decider; absent when the failure can't be attributed. */
  readonly handler?: string;
  /** Number of events passed to the call that caused the failure. */
  readonly events: number;
  /** The first of those events. */
  readonly eventId?: string;
  readonly position?: number;
  readonly code: string;
  readonly reason: string;
}

/** The number of a handler's unhandled failures in the last day, and the last of them. */
export interface FailureCount extends UnhandledFailure {
  readonly failures: number;
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
}

const ADD = `
INSERT INTO synap.unhandled_failures AS u (failures, handler, kind, events, event_id, "position", code, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (handler) DO UPDATE
   SET failures = EXCLUDED.failures
                + CASE WHEN u.last_failed_at > now() - interval '1 day' THEN u.failures ELSE 0 END,
       first_failed_at = CASE WHEN u.last_failed_at > now() - interval '1 day' THEN u.first_failed_at
                              ELSE EXCLUDED.first_failed_at END,
       (kind, events, event_id, "position", code, reason, last_failed_at)
     = (EXCLUDED.kind, EXCLUDED.events, EXCLUDED.event_id, EXCLUDED."position", EXCLUDED.code, EXCLUDED.reason,
        EXCLUDED.last_failed_at)`;

/** Adds failures of one handler, of which `last` is the newest, to its count. */
export async function addUnhandledFailures(
  session: SqlSession,
  last: UnhandledFailure,
  failures: number,
): Promise<void> {
  await session.query(ADD, [
    failures,
    last.handler ?? "",
    last.kind,
    last.events,
    last.eventId ?? null,
    last.position ?? null,
    last.code,
    last.reason,
  ]);
}

const RECENT = `
SELECT failures, handler, kind, events, event_id, "position", code, reason,
       ${epochMs("first_failed_at")} AS first_failed_at, ${epochMs("last_failed_at")} AS last_failed_at
  FROM synap.unhandled_failures
 WHERE last_failed_at > now() - interval '1 day'
 ORDER BY handler`;

interface FailureRow {
  readonly failures: number;
  readonly handler: string;
  readonly kind: "rejection" | "exception";
  readonly events: number;
  readonly event_id: string | null;
  readonly position: number | null;
  readonly code: string;
  readonly reason: string;
  readonly first_failed_at: number;
  readonly last_failed_at: number;
}

/** Reads the unhandled failures of the last day, by handler. */
export async function unhandledFailures(session: SqlSession): Promise<FailureCount[]> {
  const rows = await session.query<FailureRow>(RECENT);
  return rows.map(
    ({ handler, event_id: eventId, position, first_failed_at, last_failed_at, ...failure }) => ({
      ...(handler !== "" && { handler }),
      ...failure,
      ...(eventId !== null && { eventId }),
      ...(position !== null && { position }),
      firstFailedAt: isoFromEpoch(first_failed_at),
      lastFailedAt: isoFromEpoch(last_failed_at),
    }),
  );
}
