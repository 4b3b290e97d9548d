import { duration, percentile } from "@synap/cli/terminal/numbers.ts";
import { bar } from "@synap/cli/terminal/progress-line.ts";
import type { Database } from "@synap/database";
import { count, counted } from "@synap/types/internal";
import type { DemoResult } from "./run-demo.ts";

/** Report of the demo: the measurements, and two queries of the stored events. */
export async function demoReport(result: DemoResult, database: Database): Promise<string> {
  return [
    `${counted(result.eventsIn, "event")} in, ${counted(result.eventsStored, "event")} stored (${result.title})`,
    `${duration(result.tookMs)} until every event could be queried: ${count((result.eventsStored / result.tookMs) * 1000)} events/s`,
    "",
    "latency                                   p50        p95        p99",
    latencies(`publish (request of ${result.eventsARequest} events)`, result.publishMs),
    latencies("end to end (sent until stored)", result.endToEndMs),
    "",
    "events per day (time_bucket)",
    ...(await eventsPerDay(database)),
    "",
    "the strongest five",
    ...(await strongest(database)),
  ].join("\n");
}

function latencies(name: string, values: readonly number[]): string {
  const columns = [0.5, 0.95, 0.99].map((share) => duration(percentile(values, share)).padStart(11));
  return `${name.padEnd(34)}${columns.join("")}`;
}

async function eventsPerDay(database: Database): Promise<string[]> {
  const days = await database.query<{ day: Date; events: number }>(
    `SELECT public.time_bucket('1 day', "timestamp") AS day, count(*) AS events
       FROM synap.events
      WHERE type = 'earthquake.recorded'
      GROUP BY day
      ORDER BY day`,
  );
  const most = Math.max(...days.map(({ events }) => events));
  return days.map(
    ({ day, events }) =>
      `  ${day.toISOString().slice(0, 10)} ${bar(events / most, 40)} ${count(events).padStart(5)}`,
  );
}

async function strongest(database: Database): Promise<string[]> {
  const rows = await database.query<{ timestamp: Date; magnitude: number; place: string }>(
    `SELECT "timestamp", (data->>'magnitude')::double precision AS magnitude, data->>'place' AS place
       FROM synap.events
      WHERE type = 'earthquake.recorded'
      ORDER BY magnitude DESC, "timestamp"
      LIMIT 5`,
  );
  return rows.map(
    ({ timestamp, magnitude, place }) =>
      `  M ${magnitude.toFixed(1)}  ${timestamp.toISOString().slice(0, 16).replace("T", " ")}  ${place}`,
  );
}
