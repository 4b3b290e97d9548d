import { DAY_MS, EVENTS_AN_APPEND, type LogPlan, PATTERNS } from "../filling/fill-log.ts";

/** A day of the history: as many events as fill one chunk. */
export const EVENTS_A_DAY = 10_000;
/** Streams that are written in turn; each is the place of an event modulo this number. */
const STREAMS_A_DAY = PATTERNS;

/** The moment before which the history begins: a thousand days ago, so that its newest events are of yesterday. */
export const HISTORY_BEGINS = Math.floor(Date.now() / DAY_MS - 1_000) * DAY_MS;
/** Between one event and the next. */
export const PACE_MS = DAY_MS / EVENTS_A_DAY;

/** Streams of 1,000 events that differ in how long they lived, hence in how many chunks they lie. */
export const longStreams = {
  /** All on one day; one such stream every day. */
  busy: (day: number) => ({ aggregateType: "task", aggregateId: `busy-${day}` }),
  /** Ten events a day for 100 days. */
  lasting: (day: number) => ({ aggregateType: "order", aggregateId: `lasting-${Math.floor(day / 100)}` }),
  /** One event a day from the first day to the last. */
  lifelong: { aggregateType: "customer", aggregateId: "lifelong" },
} as const;

/** An ordinary stream: ten events on one day. */
export function briefStream(day: number): { aggregateType: string; aggregateId: string } {
  return { aggregateType: "open_loop", aggregateId: `brief-${day}-502` };
}

/** The position of the event number `index` of the history, counted from 0. */
export function positionOf(index: number): number {
  return (1 + Math.floor(index / EVENTS_AN_APPEND)) * 1_024 + (index % EVENTS_AN_APPEND);
}

/** When the event number `index` happened, in milliseconds since 1970. */
export function momentOf(index: number): number {
  return HISTORY_BEGINS + index * PACE_MS;
}

/**
 * The streams, by the place r of an event among ${STREAMS_A_DAY} and its round j of the day's ten. The identifiers begin
 * with the time, as those of real events (UUIDv7) do.
 */
const DAY = `
SELECT (1 + n / ${EVENTS_AN_APPEND}) * 1024 + n % ${EVENTS_AN_APPEND} AS "position",
       CASE kind WHEN 'busy' THEN j * 100 + r / 4 + 1
                 WHEN 'lasting' THEN d % 100 * 10 + j + 1
                 WHEN 'lifelong' THEN d + 1
                 ELSE j + 1 END AS stream_version,
       to_timestamp(ms / 1000.0)::timestamptz(3) AS "timestamp",
       (lpad(to_hex(ms), 12, '0') || '7' || substr(digest, 1, 3) || '8' || substr(digest, 4, 15))::uuid AS id,
       r + CASE WHEN kind = 'brief' AND j = 0 THEN 0 ELSE ${STREAMS_A_DAY} END AS pattern,
       CASE kind WHEN 'busy' THEN 'busy-' || d
                 WHEN 'lasting' THEN 'lasting-' || d / 100
                 WHEN 'lifelong' THEN 'lifelong'
                 ELSE 'brief-' || d || '-' || r END COLLATE "C" AS aggregate_id,
       'user-' || r AS user_id,
       'flow-' || d || '-' || n % ${EVENTS_A_DAY} / 4 AS correlation_id
  FROM (
    SELECT $1::bigint * ${EVENTS_A_DAY} + j * ${STREAMS_A_DAY} + r AS n, $1::bigint AS d, j, r,
           CASE WHEN r % 4 = 1 AND r < 400 THEN 'busy'
                WHEN r = 0 THEN 'lasting'
                WHEN r = ${STREAMS_A_DAY - 1} AND j = 9 THEN 'lifelong'
                ELSE 'brief' END AS kind
      FROM generate_series(0, 9) AS j, generate_series(0, ${STREAMS_A_DAY - 1}) AS r
  ) AS place
 CROSS JOIN LATERAL (
    SELECT $2::bigint + (n * ${PACE_MS})::bigint AS ms, md5(n::text) AS digest
  ) AS made
 ORDER BY n`;

/** The history as a log to fill in. */
export const historyPlan: LogPlan = { begins: HISTORY_BEGINS, eventsADay: EVENTS_A_DAY, day: DAY };
