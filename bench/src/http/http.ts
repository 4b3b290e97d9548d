import type { BenchContext, Benchmark, BenchmarkResult } from "../benchmark.ts";
import { makeEvents } from "../events/make-events.ts";
import { type HttpSample, httpFigures } from "./http-figures.ts";
import { load } from "./load.ts";
import { type Servers, startServers } from "./servers.ts";
import { tallyIds } from "./tally-ids.ts";

/** Connections of single events, and of batches of 1,000. */
const SINGLE_CONNECTIONS = [1, 10, 100];
const BATCH_CONNECTIONS = [1, 4];
const EXTENT = {
  full: { rounds: 5, seconds: 2.3, warmUpSeconds: 3 },
  quick: { rounds: 3, seconds: 0.5, warmUpSeconds: 1 },
};

/** One thing to measure: what is posted where, over how many connections. */
interface Course {
  readonly arm: HttpSample["arm"];
  readonly url: string;
  readonly connections: number;
  readonly bodies: readonly string[];
}

/**
 * Cost of publishing over HTTP. The API, a broker that accepts everything, and the yardsticks are separate processes, and
 * autocannon runs in this one. They take turns, so that whatever else the machine does meets all of them. Every id that
 * was answered `accepted` has to have reached the broker.
 */
export const http: Benchmark = {
  name: "http",
  title: "Publishing over HTTP",
  async run(context): Promise<BenchmarkResult> {
    const { rounds, seconds, warmUpSeconds } = EXTENT[context.mode];
    const servers = await startServers(context.serverUrl);
    try {
      const courses = planCourses(servers, context.mode);
      await warmUp(courses, warmUpSeconds, context);
      const samples: HttpSample[] = [];
      for (let round = 0; round < rounds; round += 1) {
        for (const course of courses) {
          context.signal.throwIfAborted();
          context.onProgress(describe(course), samples.length / (rounds * courses.length));
          samples.push(await measure(servers, course, seconds));
        }
      }
      return httpFigures(samples, { seconds, rounds });
    } finally {
      await servers.stop();
    }
  },
};

function planCourses({ api, bare }: Servers, mode: BenchContext["mode"]): Course[] {
  const events = makeEvents({ count: 1_000, streams: 100 }).map(
    // As most clients send them: the server gives the id and the time.
    ({ id: _id, timestamp: _timestamp, ...rest }) => rest,
  );
  const bodies = events.slice(0, 32).map((event) => JSON.stringify(event));
  const batches = [JSON.stringify({ events })];
  return [
    ...SINGLE_CONNECTIONS.flatMap((connections): Course[] => [
      { arm: "bare", url: `${bare.url}/bare`, connections, bodies },
      { arm: "api", url: `${api.url}/api/v1/events`, connections, bodies },
      // It explains the others; a quick look can do without.
      ...(mode === "full"
        ? [{ arm: "forwarding" as const, url: `${bare.url}/forwarding`, connections, bodies }]
        : []),
    ]),
    ...BATCH_CONNECTIONS.map((connections): Course => {
      return { arm: "batch", url: `${api.url}/api/v1/events/batch`, connections, bodies: batches };
    }),
  ];
}

/** Until the servers' code is compiled: with one connection that would take as long as the measurement. */
async function warmUp(courses: readonly Course[], seconds: number, context: BenchContext): Promise<void> {
  context.onProgress("warming up", 0);
  const busiest = (arm: Course["arm"]) => courses.findLast((course) => course.arm === arm);
  for (const course of [busiest("bare"), busiest("api"), busiest("forwarding"), busiest("batch")]) {
    context.signal.throwIfAborted();
    if (course !== undefined) await load({ ...course, seconds });
  }
}

async function measure({ broker }: Servers, course: Course, seconds: number): Promise<HttpSample> {
  // What was under way when the sample before this one ended counts for neither.
  await broker.ask("ids");
  const result = await load({ ...course, seconds });
  const tally = course.arm === "bare" ? undefined : tallyIds(result.answered, await broker.ask("ids"));
  return { arm: course.arm, connections: course.connections, result, tally };
}

function describe({ arm, connections }: Course): string {
  return `${arm}, ${connections} ${connections === 1 ? "connection" : "connections"}`;
}
