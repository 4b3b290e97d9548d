import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";

/** A handler's pending retry after a failure. */
export interface HandlerRetry {
  /** `handler`: the whole handler waits for the next attempt. `stream`: only some of its streams do. */
  readonly waiting: "handler" | "stream";
  /** Number of waiting streams. */
  readonly streams: number;
  /** The event that failed, if known; the one with the earliest next attempt if there are several. */
  readonly eventId?: string;
  readonly position?: number;
  /** Number of consecutive failed attempts. */
  readonly attempts: number;
  /** True if a dependency of the handler, such as the database, is unavailable, so that it is retried without limit. */
  readonly transient: boolean;
  readonly code: string;
  readonly reason: string;
  readonly firstFailedAt: string;
  readonly failedAt: string;
  readonly nextAttemptAt: string;
}

// A waiting handler takes precedence over its waiting streams.
const RETRIES = `
SELECT DISTINCT ON (handler)
       handler, waiting, streams, event_id, "position", attempts, transient, code, reason,
       ${epochMs("first_failed_at")} AS first_failed_at, ${epochMs("failed_at")} AS failed_at,
       ${epochMs("retry_at")} AS retry_at
  FROM (
    SELECT handler, 'handler' AS waiting, 0 AS streams, event_id, "position", attempts, transient, code, reason,
           first_failed_at, failed_at, retry_at
      FROM synap.handler_failures
    UNION ALL
    SELECT handler, 'stream', count(*) OVER (PARTITION BY handler), event_id, "position", attempts, transient, code,
           reason, first_failed_at, failed_at, retry_at
      FROM synap.held_streams
     WHERE retry_at IS NOT NULL
  ) AS r
 ORDER BY handler, waiting, retry_at`;

interface RetryRow {
  readonly handler: string;
  readonly waiting: "handler" | "stream";
  readonly streams: number;
  readonly event_id: string | null;
  readonly position: number | null;
  readonly attempts: number;
  readonly transient: boolean;
  readonly code: string;
  readonly reason: string;
  readonly first_failed_at: number;
  readonly failed_at: number;
  readonly retry_at: number;
}

/** Reads the pending retries, by the name of the handler or, for a waiting checkpoint, of that. */
export async function handlerRetries(session: SqlSession): Promise<ReadonlyMap<string, HandlerRetry>> {
  const rows = await session.query<RetryRow>(RETRIES);
  return new Map(
    rows.map(({ handler, waiting, streams, event_id: eventId, position, ...failure }) => [
      handler,
      {
        waiting,
        streams,
        ...(eventId !== null && { eventId }),
        ...(position !== null && { position }),
        attempts: failure.attempts,
        transient: failure.transient,
        code: failure.code,
        reason: failure.reason,
        firstFailedAt: isoFromEpoch(failure.first_failed_at),
        failedAt: isoFromEpoch(failure.failed_at),
        nextAttemptAt: isoFromEpoch(failure.retry_at),
      },
    ]),
  );
}
