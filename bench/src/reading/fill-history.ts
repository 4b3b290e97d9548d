import type { Database, Transaction } from "@synap/database";
import { makeEvents } from "../events/make-events.ts";
import { DAY_MS, EVENTS_A_DAY, EVENTS_AN_APPEND, HISTORY_BEGINS, PACE_MS, STREAMS_A_DAY } from "./history.ts";

/** A transaction's locks grow with its chunks, and the server's table of locks is finite. */
const DAYS_AT_ONCE = 50;

/** Days to write: `from` are stored already, and `to` will be. */
export interface DayRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Writes days of history into a database that holds all earlier ones, as if they had been appended: events, identities,
 * streams and append log agree with each other. The server makes them up by itself, several days at a time, because
 * ten million appends through the HTTP API would take the whole run.
 */
export async function fillHistory(
  database: Database,
  days: DayRange,
  onDay: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await database.asOwner(makePatterns);
  // It would come between the questions; finish() does what matters of it.
  await database.asOwner((owner) => owner.execute("ALTER TABLE synap.events SET (autovacuum_enabled = off)"));
  for (let day = days.from; day < days.to; day += DAYS_AT_ONCE) {
    await makeChunks(database, day, Math.min(days.to, day + DAYS_AT_ONCE));
  }
  let next = days.from;
  let done = 0;
  // Two cores: a third lane would only wait.
  const lanes = database.engine === "server" ? 2 : 1;
  const fill = async () => {
    while (next < days.to) {
      signal.throwIfAborted();
      const day = next;
      next += 1;
      await database.transaction((transaction) => fillDay(transaction, day));
      done += 1;
      onDay(done / (days.to - days.from));
    }
  };
  await Promise.all(Array.from({ length: lanes }, fill));
  await finish(database, days);
}

/** Data and types of events as every benchmark uses them: an opening event for each stream, and a following one. */
async function makePatterns(owner: Transaction): Promise<void> {
  await owner.execute(`
    CREATE TABLE IF NOT EXISTS public.patterns (
      place integer PRIMARY KEY, type text, aggregate_type text, data jsonb
    );
    GRANT SELECT ON public.patterns TO synap_app;
    -- The lanes write into the log themselves, in a database that is thrown away afterwards.
    GRANT INSERT ON synap.events, synap.event_ids, synap.appends TO synap_app;
    GRANT INSERT, UPDATE ON synap.streams TO synap_app;`);
  const patterns = makeEvents({ count: 2 * STREAMS_A_DAY, streams: STREAMS_A_DAY });
  await owner.query(
    `INSERT INTO public.patterns
     SELECT p.place - 1, p.event ->> 'type', p.event ->> 'aggregateType', p.event -> 'data'
       FROM jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS p(event, place)
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(patterns)],
  );
}

/**
 * A chunk comes into being with its first row, and locks the hypertable until that row's transaction ends: the lanes
 * would wait for each other. So each day gets a row in advance, which is taken away again.
 */
async function makeChunks(database: Database, from: number, to: number): Promise<void> {
  await database.asOwner(async (owner) => {
    await owner.query(
      `INSERT INTO synap.events (
         "position", stream_version, "timestamp", recorded_at, id, version, type, aggregate_type, aggregate_id,
         created_by, source, data
       )
       SELECT 0, 0, to_timestamp($1::bigint / 1000 + day * 86400), now(), gen_random_uuid(), '', '', '', '', '', '', '{}'
         FROM generate_series($2::integer, $3::integer - 1) AS day`,
      [HISTORY_BEGINS, from, to],
    );
    await owner.query("SELECT set_config('synap.purge', 'on', true)");
    await owner.query(`DELETE FROM synap.events WHERE "position" = 0`);
  });
}

/**
 * The streams, by the place r of an event among ${STREAMS_A_DAY} and its round j of the day's ten. The identifiers begin
 * with the time, as those of real events (UUIDv7) do.
 */
const DAY = `
CREATE TEMPORARY TABLE day ON COMMIT DROP AS
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

const EVENTS = `
INSERT INTO synap.events (
  "position", stream_version, "timestamp", recorded_at, id, version, type, aggregate_type, aggregate_id, user_id,
  created_by, source, correlation_id, data
)
SELECT d."position", d.stream_version, d."timestamp", d."timestamp" + interval '50 ms', d.id, 'v1', p.type,
       p.aggregate_type, d.aggregate_id, d.user_id, 'user:' || d.user_id, 'bench', d.correlation_id, p.data
  FROM day AS d
  JOIN public.patterns AS p ON p.place = d.pattern
 ORDER BY d."position"`;

const IDENTITIES = `
INSERT INTO synap.event_ids (id, "timestamp", "position", stream_version)
SELECT id, "timestamp", "position", stream_version FROM day ORDER BY id`;

const STREAMS = `
INSERT INTO synap.streams AS s (aggregate_type, aggregate_id, version, first_timestamp, last_timestamp)
SELECT p.aggregate_type COLLATE "C", d.aggregate_id, max(d.stream_version), min(d."timestamp"), max(d."timestamp")
  FROM day AS d
  JOIN public.patterns AS p ON p.place = d.pattern
 GROUP BY 1, 2
 ORDER BY 1, 2
ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
   SET version = greatest(s.version, EXCLUDED.version),
       first_timestamp = least(s.first_timestamp, EXCLUDED.first_timestamp),
       last_timestamp = greatest(s.last_timestamp, EXCLUDED.last_timestamp)`;

const APPENDS = `
INSERT INTO synap.appends (number, last_position, count, min_timestamp, max_timestamp, recorded_at)
SELECT "position" >> 10, max("position"), count(*), min("timestamp"), max("timestamp"), max("timestamp")
  FROM day
 GROUP BY 1
 ORDER BY 1`;

async function fillDay(transaction: Transaction, day: number): Promise<void> {
  // What is lost in a crash is made anew anyway.
  await transaction.query("SELECT set_config('synchronous_commit', 'off', true)");
  await transaction.query(DAY, [day, HISTORY_BEGINS]);
  for (const statement of [EVENTS, IDENTITIES, STREAMS, APPENDS]) await transaction.query(statement);
}

/** The number that the next append takes, and what the planner must know of the new days. */
async function finish(database: Database, days: DayRange): Promise<void> {
  const moment = (day: number) => new Date(HISTORY_BEGINS + day * DAY_MS);
  const chunks = await database.asOwner(async (owner) => {
    await owner.query("SELECT setval('synap.append_sequence', $1::bigint)", [
      (days.to * EVENTS_A_DAY) / EVENTS_AN_APPEND,
    ]);
    await owner.execute("ANALYZE synap.event_ids, synap.streams, synap.appends");
    return owner.query<{ name: string }>(
      "SELECT c::text AS name FROM public.show_chunks('synap.events', $1::timestamptz, $2::timestamptz) AS c",
      [moment(days.to), moment(days.from)],
    );
  });
  for (let index = 0; index < chunks.length; index += DAYS_AT_ONCE) {
    const names = chunks.slice(index, index + DAYS_AT_ONCE).map(({ name }) => name);
    await database.asOwner((owner) =>
      // A sample of 6,000 of a chunk's 10,000 events, rather than all of them.
      owner.execute(`SET LOCAL default_statistics_target = 20; ANALYZE ${names.join(", ")}`),
    );
  }
}
