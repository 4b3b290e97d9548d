import type { Database, Transaction } from "@synap/database";
import { makeEvents } from "../events/make-events.ts";

/** Events of one append. */
export const EVENTS_AN_APPEND = 100;
/** Streams of the patterns; an event has the pattern of its stream's number modulo this. */
export const PATTERNS = 1_000;
export const DAY_MS = 86_400_000;

/** A log to write: the same number of events each day. */
export interface LogPlan {
  /** The first day's midnight (UTC), in milliseconds since 1970. */
  readonly begins: number;
  readonly eventsADay: number;
  /**
   * A query for the events of day $1 (counted from 0) of a log that begins at $2, with the columns "position", stream_version,
   * "timestamp", id, pattern, aggregate_id, user_id and correlation_id. Positions follow `EVENTS_AN_APPEND`; the pattern is
   * the stream's number modulo `PATTERNS`, plus `PATTERNS` unless the event opens its stream.
   */
  readonly day: string;
}

/** A transaction's locks grow with its chunks, and the server's table of locks is finite. */
const DAYS_AT_ONCE = 50;

/** Days to write: `from` are stored already, and `to` will be. */
export interface DayRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Writes days of a log into a database that holds all earlier ones, as if they had been appended: events, identities,
 * streams and append log agree with each other. The server makes them up by itself, several days at a time, because
 * ten million appends through the HTTP API would take the whole run.
 */
export async function fillLog(
  database: Database,
  plan: LogPlan,
  days: DayRange,
  onDay: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await database.asOwner(makePatterns);
  // It would come between the questions; finish() does what matters of it.
  await database.asOwner((owner) => owner.execute("ALTER TABLE synap.events SET (autovacuum_enabled = off)"));
  for (let day = days.from; day < days.to; day += DAYS_AT_ONCE) {
    await makeChunks(database, plan, day, Math.min(days.to, day + DAYS_AT_ONCE));
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
      await database.transaction((transaction) => fillDay(transaction, plan, day));
      done += 1;
      onDay(done / (days.to - days.from));
    }
  };
  await Promise.all(Array.from({ length: lanes }, fill));
  await finish(database, plan, days);
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
  const patterns = makeEvents({ count: 2 * PATTERNS, streams: PATTERNS });
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
async function makeChunks(database: Database, { begins }: LogPlan, from: number, to: number): Promise<void> {
  await database.asOwner(async (owner) => {
    await owner.query(
      `INSERT INTO synap.events (
         "position", stream_version, "timestamp", recorded_at, id, version, type, aggregate_type, aggregate_id,
         created_by, source, data
       )
       SELECT 0, 0, to_timestamp($1::bigint / 1000 + day * 86400), now(), gen_random_uuid(), '', '', '', '', '', '', '{}'
         FROM generate_series($2::integer, $3::integer - 1) AS day`,
      [begins, from, to],
    );
    await owner.query("SELECT set_config('synap.purge', 'on', true)");
    await owner.query(`DELETE FROM synap.events WHERE "position" = 0`);
  });
}

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
INSERT INTO synap.streams AS s (
  aggregate_type, aggregate_id, version, first_timestamp, last_timestamp, user_id, created_by
)
SELECT p.aggregate_type COLLATE "C", d.aggregate_id, max(d.stream_version), min(d."timestamp"), max(d."timestamp"),
       max(d.user_id) FILTER (WHERE d.stream_version = 1), 'user:' || max(d.user_id) FILTER (WHERE d.stream_version = 1)
  FROM day AS d
  JOIN public.patterns AS p ON p.place = d.pattern
 GROUP BY 1, 2
 ORDER BY 1, 2
ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
   SET version = greatest(s.version, EXCLUDED.version),
       first_timestamp = least(s.first_timestamp, EXCLUDED.first_timestamp),
       last_timestamp = greatest(s.last_timestamp, EXCLUDED.last_timestamp),
       user_id = coalesce(s.user_id, EXCLUDED.user_id),
       created_by = coalesce(s.created_by, EXCLUDED.created_by)`;

const APPENDS = `
INSERT INTO synap.appends (number, last_position, count, min_timestamp, max_timestamp, recorded_at)
SELECT "position" >> 10, max("position"), count(*), min("timestamp"), max("timestamp"), max("timestamp")
  FROM day
 GROUP BY 1
 ORDER BY 1`;

async function fillDay(transaction: Transaction, plan: LogPlan, day: number): Promise<void> {
  // What is lost in a crash is made anew anyway.
  await transaction.query("SELECT set_config('synchronous_commit', 'off', true)");
  await transaction.query(`CREATE TEMPORARY TABLE day ON COMMIT DROP AS ${plan.day}`, [day, plan.begins]);
  for (const statement of [EVENTS, IDENTITIES, STREAMS, APPENDS]) await transaction.query(statement);
}

/** The number that the next append takes, and what the planner must know of the new days. */
async function finish(database: Database, { begins, eventsADay }: LogPlan, days: DayRange): Promise<void> {
  const moment = (day: number) => new Date(begins + day * DAY_MS);
  const chunks = await database.asOwner(async (owner) => {
    await owner.query("SELECT setval('synap.append_sequence', $1::bigint)", [
      (days.to * eventsADay) / EVENTS_AN_APPEND,
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
