import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";

/** What a handler tries again after a failure. */
export interface HandlerRetry {
  /** `handler`: all of it waits for the next attempt. `stream`: streams of it do, and the others go on. */
  readonly waiting: "handler" | "stream";
  /** How many streams wait. */
  readonly streams: number;
  /** The event that failed, where it is known; of several, the one whose next attempt comes first. */
  readonly eventId?: string;
  readonly position?: number;
  /** Failed attempts in a row. */
  readonly attempts: number;
  /** The database, or something else that the handler needs, is away: it is tried again without limit. */
  readonly transient: boolean;
  readonly code: string;
  readonly reason: string;
  readonly firstFailedAt: string;
  readonly failedAt: string;
  readonly nextAttemptAt: string;
}

// A handler that waits as a whole comes before its streams.
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

/** What is tried again, by the name of the handler, or of its checkpoint where that waits. */
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
