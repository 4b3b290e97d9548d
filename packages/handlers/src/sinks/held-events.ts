import {
  type BoundedRow,
  MAX_PAGE_BYTES,
  type SqlSession,
  selectBoundedRows,
  type Transaction,
} from "@synap/database";
import { backoffDelay, epochMs, isDataError, recordDeadLetter } from "@synap/database/internal";
import type { StoredEvent, StreamName } from "@synap/types";
import { streamKey } from "@synap/types/internal";
import type { RetryPolicy } from "../dispatch/handle-isolated.ts";
import { holdForRetry, holdStream, parkEvents, type RetryingEvent } from "../dispatch/held-streams.ts";
import { describeFailure } from "../handler/handler-errors.ts";
import { asError } from "../handler/thrown-error.ts";

/** Events of a stream that was held, to be applied now. */
export interface LateEvents {
  readonly stream: StreamName;
  readonly events: readonly StoredEvent[];
  /** The failed attempts at the first of them. */
  readonly earlier: EarlierFailure | undefined;
}

/** The failed attempts at an event. */
export interface EarlierFailure {
  readonly position: number;
  readonly attempts: number;
  readonly firstFailedAt: number;
}

const RELEASED = `
SELECT h.aggregate_type AS "aggregateType", h.aggregate_id AS "aggregateId", h."position", h.attempts,
       ${epochMs("h.first_failed_at")} AS "firstFailedAt"
  FROM synap.held_streams AS h
 WHERE h.handler = $1 AND h.dead_letter_id IS NULL
   AND (h.retry_at IS NULL OR h.retry_at <= clock_timestamp() OR h.failed_at > clock_timestamp())
   AND NOT EXISTS (SELECT FROM synap.parked_events AS p
                    WHERE p.handler = h.handler AND p.aggregate_type = h.aggregate_type AND p.aggregate_id = h.aggregate_id
                    HAVING min(p."position") > $2)
 ORDER BY h.retry_at NULLS FIRST LIMIT 1`;

const PARKED = selectBoundedRows(
  `
  SELECT "position", event FROM synap.parked_events
   WHERE handler = $1 AND aggregate_type = $2 AND aggregate_id = $3 AND "position" <= $4
   ORDER BY "position" LIMIT $5`,
  `"position"`,
  "$6",
  ["event"],
);

/**
 * Reads the next events of a held stream that may go on, up to the checkpoint. They stay parked until they are applied. Those beyond the
 * checkpoint are left: a pass that was interrupted may have parked them, and meets them again.
 */
export async function readLateEvents(
  session: SqlSession,
  sink: string,
  position: number,
  limit: number,
): Promise<LateEvents | undefined> {
  const [held] = await session.query<StreamName & (EarlierFailure | { readonly position: null })>(RELEASED, [
    sink,
    position,
  ]);
  if (held === undefined) return undefined;
  const { aggregateType, aggregateId } = held;
  const rows = await session.query<BoundedRow & { event: StoredEvent }>(PARKED, [
    sink,
    aggregateType,
    aggregateId,
    position,
    limit,
    MAX_PAGE_BYTES,
  ]);
  return {
    stream: { aggregateType, aggregateId },
    events: rows.map(({ event }) => event),
    earlier: held.position === null ? undefined : held,
  };
}

/**
 * Reads the last position of an event that is a dead letter of the sink, or was skipped. Such an event is not to be met again in the log, as it is when
 * a pass was interrupted before the checkpoint moved, or the destination was emptied.
 */
export async function lastDeadLetter(session: SqlSession, sink: string): Promise<number> {
  const [row] = await session.query<{ position: number }>(
    `SELECT coalesce(max("position"), 0) AS "position" FROM synap.dead_letters
      WHERE handler = $1 AND status IN ('open', 'skipped')`,
    [sink],
  );
  return row?.position ?? 0;
}

/** The events without the dead letters of the sink: a retry brings back an open one, and nothing one that was skipped. */
export async function withoutDeadLetters(
  session: SqlSession,
  sink: string,
  events: readonly StoredEvent[],
): Promise<readonly StoredEvent[]> {
  if (events.length === 0) return events;
  const rows = await session.query<{ id: string }>(
    `SELECT event_id AS id FROM synap.dead_letters
      WHERE handler = $1 AND event_id = ANY (ARRAY(SELECT jsonb_array_elements_text($2::text::jsonb)))
        AND content = '' AND status IN ('open', 'skipped')`,
    [sink, JSON.stringify(events.map(({ id }) => id))],
  );
  const known = new Set(rows.map(({ id }) => id));
  return known.size === 0 ? events : events.filter(({ id }) => !known.has(id));
}

/** Removes the parked events of a stream up to a position, and its hold when none is left. */
export async function removeLate(
  transaction: Transaction,
  sink: string,
  { aggregateType, aggregateId }: StreamName,
  upTo: number,
): Promise<void> {
  const key = [sink, aggregateType, aggregateId] as const;
  const ofStream = "handler = $1 AND aggregate_type = $2 AND aggregate_id = $3";
  await transaction.query(`DELETE FROM synap.parked_events WHERE ${ofStream} AND "position" <= $4`, [
    ...key,
    upTo,
  ]);
  await transaction.query(
    `UPDATE synap.held_streams
        SET ("position", event_id, attempts, transient, code, reason, first_failed_at, failed_at, retry_at)
          = ROW (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
      WHERE ${ofStream}`,
    key,
  );
  await transaction.query(
    `DELETE FROM synap.held_streams AS h
      WHERE ${ofStream} AND NOT EXISTS (SELECT FROM synap.parked_events WHERE ${ofStream})`,
    key,
  );
}

/** An event that the destination refused. */
export interface FailedEvent {
  readonly event: StoredEvent;
  readonly error: unknown;
}

/** The result of {@link holdFailed}. */
export interface HeldEvents {
  readonly deadLettered: number;
  readonly retrying: readonly RetryingEvent[];
  /** The events of the batch that are parked behind the failed ones. */
  readonly behind: readonly StoredEvent[];
}

/**
 * Holds the streams of failed events: each event is tried again later or, after its last attempt, becomes a dead letter. The later events
 * of these streams are parked behind them.
 *
 * @param events those of the batch, the failed ones included
 * @param earlier the failed attempts at the first of them
 */
export async function holdFailed(
  transaction: Transaction,
  sink: string,
  events: readonly StoredEvent[],
  failed: readonly FailedEvent[],
  { maxAttempts, backoff }: RetryPolicy,
  earlier?: EarlierFailure,
): Promise<HeldEvents> {
  const retrying: RetryingEvent[] = [];
  const held = new Map<string, number>();
  let deadLettered = 0;
  for (const { event, error } of failed) {
    const isRetry = earlier?.position === event.position;
    const attempts = (isRetry ? earlier.attempts : 0) + 1;
    const cause = asError(error);
    const failure = describeFailure(cause);
    if (attempts < maxAttempts && !isDataError(cause)) {
      const next: RetryingEvent = {
        event,
        ...failure,
        attempts,
        transient: false,
        retryInMs: backoffDelay(attempts, backoff),
        ...(isRetry && { firstFailedAt: earlier.firstFailedAt }),
      };
      await parkEvents(transaction, sink, [event]);
      await holdForRetry(transaction, sink, next);
      retrying.push(next);
      held.set(streamKey(event), event.position);
      continue;
    }
    const { id, status } = await recordDeadLetter(transaction, {
      handler: sink,
      event,
      position: event.position,
      stream: event,
      ...failure,
      attempts,
    });
    deadLettered += 1;
    // A dead letter that an operator has skipped does not hold its stream.
    if (status !== "open") continue;
    await holdStream(transaction, sink, event, id);
    held.set(streamKey(event), event.position);
  }
  const behind = events.filter(
    (event) => event.position > (held.get(streamKey(event)) ?? Number.POSITIVE_INFINITY),
  );
  await parkEvents(transaction, sink, behind);
  return { deadLettered, retrying, behind };
}
