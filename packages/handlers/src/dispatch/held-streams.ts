import {
  type BoundedRow,
  isPageCut,
  MAX_PAGE_BYTES,
  type SqlSession,
  selectBoundedRows,
  type Transaction,
} from "@synap/database";
import { epochMs } from "@synap/database/internal";
import type { StoredEvent, StreamName } from "@synap/types";
import { streamKey } from "@synap/types/internal";

const ANY_HELD = `
SELECT count(*) FILTER (WHERE dead_letter_id IS NULL) AS released, count(*) AS held
  FROM (SELECT dead_letter_id FROM synap.held_streams
         WHERE handler = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))
         ORDER BY dead_letter_id NULLS FIRST LIMIT 1) AS h`;

/** Checks if any stream is held for one of these handlers, and if one may resume. Usually neither. */
export async function anyHeld(
  session: SqlSession,
  handlers: readonly string[],
): Promise<{ held: boolean; released: boolean }> {
  const [row] = await session.query<{ released: number; held: number }>(ANY_HELD, [JSON.stringify(handlers)]);
  return { held: (row?.held ?? 0) > 0, released: (row?.released ?? 0) > 0 };
}

const HELD = `
SELECT h.aggregate_type, h.aggregate_id
  FROM (SELECT DISTINCT s."aggregateType" AS type, s."aggregateId" AS id
          FROM jsonb_to_recordset($2::text::jsonb) AS s ("aggregateType" text, "aggregateId" text)) AS s
  JOIN synap.held_streams AS h ON h.handler = $1 AND h.aggregate_type = s.type AND h.aggregate_id = s.id`;

/** The keys of those streams of the events that are held for the handler. */
export async function heldStreams(
  session: SqlSession,
  handler: string,
  events: readonly StoredEvent[],
): Promise<Set<string>> {
  const streams = events.map(({ aggregateType, aggregateId }) => ({ aggregateType, aggregateId }));
  const rows = await session.query<{ aggregate_type: string; aggregate_id: string }>(HELD, [
    handler,
    JSON.stringify(streams),
  ]);
  return new Set(
    rows.map((row) => streamKey({ aggregateType: row.aggregate_type, aggregateId: row.aggregate_id })),
  );
}

const HOLD = `
INSERT INTO synap.held_streams
  (handler, aggregate_type, aggregate_id, dead_letter_id, "position", event_id, attempts, transient, code, reason,
   first_failed_at, failed_at, retry_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
        CASE WHEN $7::integer IS NOT NULL
             THEN least(clock_timestamp(), to_timestamp($11::float8 / 1000)) END,
        CASE WHEN $7::integer IS NOT NULL THEN clock_timestamp() END,
        clock_timestamp() + $12::float8 * interval '1 millisecond')
ON CONFLICT (handler, aggregate_type, aggregate_id) DO UPDATE
   SET (dead_letter_id, "position", event_id, attempts, transient, code, reason, first_failed_at, failed_at, retry_at)
     = (EXCLUDED.dead_letter_id, EXCLUDED."position", EXCLUDED.event_id, EXCLUDED.attempts, EXCLUDED.transient,
        EXCLUDED.code, EXCLUDED.reason, EXCLUDED.first_failed_at, EXCLUDED.failed_at, EXCLUDED.retry_at)`;

/** Holds the handler's events of this stream until the dead letter is resolved. */
export async function holdStream(
  transaction: Transaction,
  handler: string,
  stream: StreamName,
  deadLetterId: number,
): Promise<void> {
  const { aggregateType, aggregateId } = stream;
  const none = [null, null, null, null, null, null, null, null] as const;
  await transaction.query(HOLD, [handler, aggregateType, aggregateId, deadLetterId, ...none]);
}

/** A failed event that is retried while its stream is held and the other streams continue. */
export interface RetryingEvent {
  readonly event: StoredEvent;
  /** Number of failed attempts so far. */
  readonly attempts: number;
  /** True if the handler threw a transient error, so that the event is retried without limit. */
  readonly transient: boolean;
  readonly code: string;
  readonly reason: string;
  /** Time of the first failure, if it was not now: milliseconds since 1970. */
  readonly firstFailedAt?: number | undefined;
  /** Delay until the next attempt, in milliseconds. */
  readonly retryInMs: number;
}

/** Holds the handler's events of this stream until the event is retried. The event itself is parked first. */
export async function holdForRetry(
  transaction: Transaction,
  handler: string,
  { event, attempts, transient, code, reason, firstFailedAt, retryInMs }: RetryingEvent,
): Promise<void> {
  const { aggregateType, aggregateId, position, id } = event;
  const failure = [
    position,
    id,
    attempts,
    transient,
    code,
    reason,
    firstFailedAt ?? null,
    retryInMs,
  ] as const;
  await transaction.query(HOLD, [handler, aggregateType, aggregateId, null, ...failure]);
}

/** Counts the handler's streams that wait for another attempt. */
export async function countRetrying(session: SqlSession, handler: string): Promise<number> {
  const [row] = await session.query<{ streams: number }>(
    "SELECT count(*) AS streams FROM synap.held_streams WHERE handler = $1 AND retry_at IS NOT NULL",
    [handler],
  );
  return row?.streams ?? 0;
}

/** Releases the stream that is held by this dead letter; its parked events are handled next. */
export async function releaseStream(transaction: Transaction, deadLetterId: number): Promise<void> {
  await transaction.query("UPDATE synap.held_streams SET dead_letter_id = NULL WHERE dead_letter_id = $1", [
    deadLetterId,
  ]);
}

// Read as text: jsonb refuses some values that json can hold.
const PARK = `
INSERT INTO synap.parked_events (handler, aggregate_type, aggregate_id, "position", event)
SELECT $1, e."aggregateType", e."aggregateId", e."position", e.event
  FROM json_to_recordset($2::text::json) AS e ("aggregateType" text, "aggregateId" text, "position" bigint, event json)
ON CONFLICT DO NOTHING`;

/** Parks events behind the dead letters of their streams. */
export async function parkEvents(
  transaction: Transaction,
  handler: string,
  events: readonly StoredEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event) => {
    const { aggregateType, aggregateId, position } = event;
    return { aggregateType, aggregateId, position, event };
  });
  await transaction.query(PARK, [handler, JSON.stringify(rows)]);
}

/** A stream that is held for a handler. */
export interface HeldStream extends StreamName {
  readonly deadLetterId: number | null;
}

// A failure in the future means that the clock was set back.
const MAY_GO_ON = `dead_letter_id IS NULL
   AND (retry_at IS NULL OR retry_at <= clock_timestamp() OR failed_at > clock_timestamp())`;

/** A few of the handler's streams that may resume: those whose dead letter was resolved first, then those due for a retry. */
export async function releasedStreams(session: SqlSession, handler: string): Promise<StreamName[]> {
  return session.query<StreamName>(
    `SELECT aggregate_type AS "aggregateType", aggregate_id AS "aggregateId" FROM synap.held_streams
      WHERE handler = $1 AND ${MAY_GO_ON}
      ORDER BY retry_at NULLS FIRST LIMIT 20`,
    [handler],
  );
}

const LOCK_RELEASED = `
SELECT "position", attempts, ${epochMs("first_failed_at")} AS "firstFailedAt"
  FROM synap.held_streams
 WHERE handler = $1 AND aggregate_type = $2 AND aggregate_id = $3 AND ${MAY_GO_ON}
   FOR UPDATE`;

/** The failed attempts at the first parked event of a stream. */
export interface EarlierAttempts {
  readonly position: number;
  readonly attempts: number;
  readonly firstFailedAt: number;
}

const CLEAR_RETRY = `
UPDATE synap.held_streams
   SET ("position", event_id, attempts, transient, code, reason, first_failed_at, failed_at, retry_at)
     = ROW (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
 WHERE handler = $1 AND aggregate_type = $2 AND aggregate_id = $3 AND retry_at IS NOT NULL`;

const TAKE_PARKED = `
WITH next AS MATERIALIZED (${selectBoundedRows(
  `
  SELECT "position", event FROM synap.parked_events
   WHERE handler = $1 AND aggregate_type = $2 AND aggregate_id = $3
   ORDER BY "position" LIMIT $4`,
  `"position"`,
  "$5",
  ["event"],
)}
), taken AS (
  DELETE FROM synap.parked_events AS p USING next
   WHERE p.handler = $1 AND p.aggregate_type = $2 AND p.aggregate_id = $3 AND p."position" = next."position"
  RETURNING p."position", p.event, next.found
)
SELECT event, found FROM taken ORDER BY "position"`;

/**
 * Takes the next parked events of a released stream, up to `limit` of them and the one that reaches 4 MiB, to be handled
 * in this transaction; taking the last one ends the hold. Empty when the stream is held by another dead letter or not at all.
 */
export async function takeParkedEvents(
  transaction: Transaction,
  handler: string,
  stream: StreamName,
  limit: number,
): Promise<{ events: StoredEvent[]; last: boolean; earlier?: EarlierAttempts }> {
  const key = [handler, stream.aggregateType, stream.aggregateId] as const;
  const [held] = await transaction.query<EarlierAttempts | { position: null }>(LOCK_RELEASED, key);
  if (held === undefined) return { events: [], last: true };
  const parameters = [...key, limit, MAX_PAGE_BYTES];
  const rows = await transaction.query<BoundedRow & { event: StoredEvent }>(TAKE_PARKED, parameters);
  const last = rows.length < limit && !isPageCut(rows);
  await transaction.query(
    last
      ? "DELETE FROM synap.held_streams WHERE handler = $1 AND aggregate_type = $2 AND aggregate_id = $3"
      : CLEAR_RETRY,
    key,
  );
  return { events: rows.map((row) => row.event), last, ...(held.position !== null && { earlier: held }) };
}
