import type { DeadLetterStream, SqlSession, Transaction } from "@synap/database";
import type { StoredEvent } from "@synap/types";

/** A stream as one text. PostgreSQL's text has no NUL, so no two streams share one. */
export function streamKey({ aggregateType, aggregateId }: DeadLetterStream): string {
  return `${aggregateType}\0${aggregateId}`;
}

const ANY_HELD = `
SELECT count(*) FILTER (WHERE dead_letter_id IS NULL) AS released, count(*) AS held
  FROM (SELECT dead_letter_id FROM synap.held_streams
         WHERE handler = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))
         ORDER BY dead_letter_id NULLS FIRST LIMIT 1) AS h`;

/** Whether any stream waits for one of these handlers, and whether one may go on. The usual answer is twice no. */
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

/** Which of the events' streams wait for the handler, as keys. */
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
INSERT INTO synap.held_streams (handler, aggregate_type, aggregate_id, dead_letter_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (handler, aggregate_type, aggregate_id) DO UPDATE SET dead_letter_id = EXCLUDED.dead_letter_id`;

/** From now on the handler's events of this stream wait for a decision on the dead letter. */
export async function holdStream(
  transaction: Transaction,
  handler: string,
  stream: DeadLetterStream,
  deadLetterId: number,
): Promise<void> {
  await transaction.query(HOLD, [handler, stream.aggregateType, stream.aggregateId, deadLetterId]);
}

/** Lets the stream that waits for this dead letter go on; what is parked is handled next. */
export async function releaseStream(transaction: Transaction, deadLetterId: number): Promise<void> {
  await transaction.query("UPDATE synap.held_streams SET dead_letter_id = NULL WHERE dead_letter_id = $1", [
    deadLetterId,
  ]);
}

// Read as text: jsonb would refuse what json keeps.
const PARK = `
INSERT INTO synap.parked_events (handler, aggregate_type, aggregate_id, "position", event)
SELECT $1, e."aggregateType", e."aggregateId", e."position", e.event
  FROM json_to_recordset($2::text::json) AS e ("aggregateType" text, "aggregateId" text, "position" bigint, event json)
ON CONFLICT DO NOTHING`;

/** Puts events behind the dead letters of their streams. */
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

/** A stream that waits for a handler. */
export interface HeldStream extends DeadLetterStream {
  readonly deadLetterId: number | null;
}

/** The released streams of a handler, a few of them. */
export async function releasedStreams(session: SqlSession, handler: string): Promise<DeadLetterStream[]> {
  return session.query<DeadLetterStream>(
    `SELECT aggregate_type AS "aggregateType", aggregate_id AS "aggregateId" FROM synap.held_streams
      WHERE handler = $1 AND dead_letter_id IS NULL LIMIT 20`,
    [handler],
  );
}

const LOCK_RELEASED = `
SELECT FROM synap.held_streams
 WHERE handler = $1 AND aggregate_type = $2 AND aggregate_id = $3 AND dead_letter_id IS NULL
   FOR UPDATE`;

const TAKE_PARKED = `
WITH next AS (
  SELECT "position" FROM synap.parked_events
   WHERE handler = $1 AND aggregate_type = $2 AND aggregate_id = $3
   ORDER BY "position" LIMIT $4
), taken AS (
  DELETE FROM synap.parked_events AS p USING next
   WHERE p.handler = $1 AND p.aggregate_type = $2 AND p.aggregate_id = $3 AND p."position" = next."position"
  RETURNING p."position", p.event
)
SELECT event FROM taken ORDER BY "position"`;

/**
 * Takes the next parked events of a released stream, to be handled in this transaction; with the last of them the
 * stream stops waiting. None: it waits for another decision, or no longer.
 */
export async function takeParkedEvents(
  transaction: Transaction,
  handler: string,
  stream: DeadLetterStream,
  limit: number,
): Promise<{ events: StoredEvent[]; last: boolean }> {
  const key = [handler, stream.aggregateType, stream.aggregateId] as const;
  const locked = await transaction.query(LOCK_RELEASED, key);
  if (locked.length === 0) return { events: [], last: true };
  const rows = await transaction.query<{ event: StoredEvent }>(TAKE_PARKED, [...key, limit]);
  const last = rows.length < limit;
  if (last) {
    await transaction.query(
      "DELETE FROM synap.held_streams WHERE handler = $1 AND aggregate_type = $2 AND aggregate_id = $3",
      key,
    );
  }
  return { events: rows.map((row) => row.event), last };
}
