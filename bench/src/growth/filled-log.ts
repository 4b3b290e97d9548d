import type { Database } from "@synap/database";
import { DAY_MS, EVENTS_AN_APPEND, fillLog, PATTERNS } from "../filling/fill-log.ts";

/** Size and shape of a log: each day is a chunk, and streams take turns. */
export interface LogShape {
  readonly events: number;
  readonly chunks: number;
  readonly streams: number;
}

/** Begins the ids of the streams; the number of the stream follows. */
export const FILLED_LANE = "filled";

/** Fills an empty database. The log's newest events are of yesterday. */
export async function fillShape(
  database: Database,
  { events, chunks, streams }: LogShape,
  onDay: (share: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const eventsADay = events / chunks;
  if (!Number.isInteger(eventsADay / EVENTS_AN_APPEND)) {
    throw new RangeError(`${events} events in ${chunks} chunks are no whole number of appends for each.`);
  }
  const begins = Math.floor(Date.now() / DAY_MS - chunks) * DAY_MS;
  const plan = { begins, eventsADay, day: dayQuery(eventsADay, streams) };
  await fillLog(database, plan, { from: 0, to: chunks }, onDay, signal);
}

function dayQuery(eventsADay: number, streams: number): string {
  return `
SELECT (1 + n / ${EVENTS_AN_APPEND}) * 1024 + n % ${EVENTS_AN_APPEND} AS "position",
       n / ${streams} + 1 AS stream_version,
       to_timestamp(ms / 1000.0)::timestamptz(3) AS "timestamp",
       (lpad(to_hex(ms), 12, '0') || '7' || substr(digest, 1, 3) || '8' || substr(digest, 4, 15))::uuid AS id,
       n % ${streams} % ${PATTERNS} + CASE WHEN n < ${streams} THEN 0 ELSE ${PATTERNS} END AS pattern,
       ('${FILLED_LANE}-' || n % ${streams}) COLLATE "C" AS aggregate_id,
       'user-' || n % 1000 AS user_id,
       'flow-' || n / 4 AS correlation_id
  FROM generate_series($1::bigint * ${eventsADay}, ($1::bigint + 1) * ${eventsADay} - 1) AS n
 CROSS JOIN LATERAL (
    SELECT $2::bigint + (n * ${DAY_MS / eventsADay})::bigint AS ms, md5(n::text) AS digest
  ) AS made
 ORDER BY n`;
}
