import { median, percentile } from "@synap/cli/terminal/numbers.ts";
import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import type { Benchmark, BenchmarkResult, Figure } from "../benchmark.ts";
import { type LoadResult, load } from "../http/load.ts";
import { type ServerProcess, startServerProcess } from "../http/server-process.ts";
import { createEmptyDatabase, withSql } from "../peers/empty-database.ts";
import { makeAppendBodies, STREAM_TYPE } from "./append-bodies.ts";

const CONNECTIONS = [1, 10, 64];
const EXTENT = {
  full: { rounds: 5, seconds: 2.3, warmUpSeconds: 3 },
  quick: { rounds: 3, seconds: 0.5, warmUpSeconds: 1 },
};
/** The target ratio of our rate to the peer's with this many connections. */
const TARGET = { connections: 64, bound: 3 };

/** A server that appends an event to a new stream for each request. */
interface Arm {
  readonly id: "synap" | "emmett";
  readonly name: string;
  readonly server: ServerProcess;
  /** The path of the append to a stream with a new name. */
  path(): string;
  stored(): Promise<number>;
  readonly samples: { readonly connections: number; readonly result: LoadResult }[];
}

/**
 * One event to a new stream by HTTP, at the expected version `no-stream`: our API beside Emmett behind a Hono route, on the same server
 * of PostgreSQL, taking turns. Each must have stored as many events as it has answered 2xx.
 */
export const httpAppends: Benchmark = {
  name: "http-appends",
  title: "Appending to streams over HTTP",
  async run({ mode, serverUrl, onProgress, signal }): Promise<BenchmarkResult> {
    if (serverUrl === undefined)
      return { figures: [], skipped: ["Emmett needs a PostgreSQL server, and DATABASE_URL names none."] };
    const { rounds, seconds, warmUpSeconds } = EXTENT[mode];
    const stops: (() => Promise<void>)[] = [];
    try {
      const arms = [await startSynap(serverUrl, stops), await startEmmett(serverUrl, stops)];
      const bodies = makeAppendBodies();
      const measure = (arm: Arm, connections: number, duration: number) =>
        load({ url: arm.server.url, path: arm.path, bodies, connections, seconds: duration });
      onProgress("warming up", 0);
      const warm = new Map<Arm, number>();
      for (const arm of arms) warm.set(arm, succeeded(await measure(arm, 64, warmUpSeconds)));
      for (let round = 0; round < rounds; round += 1) {
        for (const connections of CONNECTIONS) {
          for (const arm of round % 2 === 0 ? arms : arms.toReversed()) {
            signal.throwIfAborted();
            onProgress(`${arm.name}, ${connections} connections`, round / rounds);
            arm.samples.push({ connections, result: await measure(arm, connections, seconds) });
          }
        }
      }
      for (const arm of arms) {
        const responses = arm.samples.reduce(
          (sum, { result }) => sum + succeeded(result),
          warm.get(arm) ?? 0,
        );
        const stored = await arm.stored();
        if (stored < responses)
          throw new Error(`${arm.name} stored ${stored} events, and answered 2xx for ${responses}.`);
      }
      return { figures: figuresOf(arms, `${rounds} samples of ${seconds} s.`) };
    } finally {
      for (const stop of stops.toReversed()) await stop();
    }
  },
};

async function startSynap(serverUrl: string, stops: (() => Promise<void>)[]): Promise<Arm> {
  const { database, location, remove } = await createTemporaryDatabase(serverUrl, "http_appends");
  stops.push(remove);
  const server = await startServerProcess("api-server.ts", {
    BENCH_DATABASE: JSON.stringify(location),
    // Nothing is published.
    INNGEST_BASE_URL: "http://127.0.0.1:9",
  });
  stops.push(server.stop);
  return {
    id: "synap",
    name: "POST /api/v1/streams/{aggregateType}/{aggregateId}/events",
    server,
    path: pathsBelow(`/api/v1/streams/${STREAM_TYPE}`),
    stored: async () => {
      const [row] = await database.query<{ count: number }>("SELECT count(*) FROM synap.events");
      return row?.count ?? 0;
    },
    samples: [],
  };
}

async function startEmmett(serverUrl: string, stops: (() => Promise<void>)[]): Promise<Arm> {
  const { url, remove } = await createEmptyDatabase(serverUrl, "http_appends_emmett");
  stops.push(remove);
  const server = await startServerProcess("../http-appends/emmett-server.ts", { BENCH_DATABASE: url });
  stops.push(server.stop);
  return {
    id: "emmett",
    name: "Emmett behind a Hono route",
    server,
    path: pathsBelow(`/streams/${STREAM_TYPE}`),
    stored: () =>
      withSql(url, async (sql) => {
        const [row] = await sql<{ count: number }[]>`SELECT count(*)::integer AS count FROM emt_messages`;
        return row?.count ?? 0;
      }),
    samples: [],
  };
}

function pathsBelow(start: string): () => string {
  let number = 0;
  return () => {
    number += 1;
    return `${start}/${number}/events`;
  };
}

function succeeded({ responses, failures }: LoadResult): number {
  return responses - failures;
}

function figuresOf(arms: readonly Arm[], note: string): Figure[] {
  const [synap, emmett] = arms;
  if (synap === undefined || emmett === undefined) return [];
  return CONNECTIONS.flatMap((connections) => {
    const over = connections === 1 ? "1 connection" : `${connections} connections`;
    const of = (arm: Arm) => arm.samples.filter((sample) => sample.connections === connections);
    const rates = (arm: Arm) => of(arm).map(({ result }) => succeeded(result) / result.seconds);
    const peer = rates(emmett);
    const ratios = rates(synap).map((rate, round) => rate / (peer[round] ?? Number.NaN));
    const failures = arms.flatMap((arm) => of(arm)).reduce((sum, { result }) => sum + result.failures, 0);
    return [
      ...arms.flatMap((arm): Figure[] => [
        {
          id: `http-appends.${arm.id}.${connections}-connections.rate`,
          name: `${arm.name}, ${over}`,
          value: median(rates(arm)),
          unit: "requests/s",
          better: "higher",
          samples: rates(arm),
          note,
        },
        {
          id: `http-appends.${arm.id}.${connections}-connections.p99`,
          name: `${arm.name}, ${over}, p99`,
          value: median(of(arm).map(({ result }) => percentile(result.latencies, 0.99))),
          unit: "ms",
          better: "lower",
          samples: of(arm).map(({ result }) => percentile(result.latencies, 0.99)),
        },
      ]),
      {
        id: `http-appends.${connections}-connections.ratio`,
        name: `appending over HTTP against Emmett, ${over}`,
        engine: "server",
        value: median(ratios),
        unit: "ratio",
        better: "higher",
        samples: ratios,
        target:
          connections === TARGET.connections ? { comparison: "at least", bound: TARGET.bound } : undefined,
        note,
      },
      {
        id: `http-appends.${connections}-connections.failures`,
        name: `requests without a response of 2xx, ${over}`,
        value: failures,
        unit: "requests",
        better: "lower",
        target: { comparison: "at most", bound: 0 },
      },
    ];
  });
}
