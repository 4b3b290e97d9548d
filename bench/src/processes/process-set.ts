import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { SeparateProcesses } from "@synap/scripts/processes/separate-processes.ts";
import { type Address, TcpProxy } from "@synap/scripts/processes/tcp-proxy.ts";
import { load } from "../http/load.ts";
import { makeAppendBodies, STREAM_TYPE } from "../http-appends/append-bodies.ts";
import { examineStore, type StoreFindings } from "../load/examine-store.ts";
import type { SentBatch } from "../load/load-plan.ts";
import { prepareLoad } from "../load/start-load.ts";
import { readProcess } from "../product/process-gauge.ts";
import { untilProjected } from "../product/until-projected.ts";
import { type ServerGauge, type ServerUse, watchServer } from "./server-gauge.ts";

/** The programs among which processor time is divided. */
export type Program = "api" | "worker" | "broker";

/** One way of sending events to a set of processes. */
export interface WayMeasured {
  readonly events: number;
  /** Published: until all are stored and projected. Appended: until the last response. */
  readonly seconds: number;
  /** Processor time until all is projected, in seconds. */
  readonly cpu: Readonly<Record<Program, number>>;
  readonly server: ServerUse;
}

/** Processes on a database of their own, to be measured several times. */
export interface ProcessSet {
  /** The number of APIs, and that of workers. */
  readonly count: number;
  /** Publishes batches of 1,000 for so many seconds, through the broker and the workers. */
  publish(seconds: number): Promise<WayMeasured>;
  /** Appends single events to new streams over HTTP for so many seconds. */
  append(seconds: number): Promise<WayMeasured>;
  /** Compares every published id with the store. */
  examine(): Promise<StoreFindings & { readonly failedAppends: number }>;
  stop(): Promise<void>;
}

/** Number of requests in flight. Every set has as many, divided among its APIs. */
const PUBLISHING_CONNECTIONS = 4;
const APPENDING_CONNECTIONS = 64;
const BATCH = { size: 1_000, streams: 100 };
/** Numbers of batches of each API in each turn, so that no two send the same. */
const BATCHES_A_TURN = 10_000;
const DRAIN_PATIENCE_MS = 120_000;
const HOST = "127.0.0.1";

/** Starts as many APIs as workers, and the local broker, on a new database. */
export async function startProcessSet(
  serverUrl: string,
  count: number,
  signal: AbortSignal,
): Promise<ProcessSet> {
  const temporary = await createTemporaryDatabase(serverUrl, "processes");
  const { url = "" } = temporary;
  const stops = [temporary.remove];
  const stop = async () => {
    for (const each of stops.splice(0).toReversed()) await each();
  };
  try {
    const processes = await SeparateProcesses.start({
      databaseUrl: url,
      apis: count,
      workers: count,
      fromSource: true,
      detached: true,
      workerOrigin: async ([first, ...others]) => {
        const address = (port: number): Address => ({ host: HOST, port });
        if (others.length === 0) return `http://${HOST}:${first}`;
        const balancer = await TcpProxy.listen([address(first), ...others.map(address)]);
        stops.push(() => balancer.close());
        return `http://${HOST}:${balancer.port}`;
      },
    });
    stops.push(async () => void (await processes.stop()));
    await processes.workersListen();
    const gauge = watchServer(url);
    stops.push(gauge.close);

    const course: Course = { processes, gauge, signal, sent: 0, turns: 0, failedAppends: 0, batches: [] };
    return {
      count,
      publish: (seconds) => publish(course, seconds),
      append: (seconds) => append(course, seconds),
      examine: async () => ({
        ...(await examineStore(temporary.database, course.batches, BATCH.size)),
        failedAppends: course.failedAppends,
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The course of a set so far. */
interface Course {
  readonly processes: SeparateProcesses;
  readonly gauge: ServerGauge;
  readonly signal: AbortSignal;
  /** Events accepted or appended. */
  sent: number;
  turns: number;
  failedAppends: number;
  readonly batches: SentBatch[];
}

async function publish(course: Course, seconds: number): Promise<WayMeasured> {
  const { processes, signal } = course;
  const { apiUrls } = processes;
  const turn = course.turns++;
  const loads = await Promise.all(
    apiUrls.map((apiUrl, index) =>
      prepareLoad(
        {
          apiUrl,
          batch: BATCH,
          first: (turn * apiUrls.length + index) * BATCHES_A_TURN,
          seconds,
          pace: {
            kind: "as fast as accepted",
            connections: Math.max(1, PUBLISHING_CONNECTIONS / apiUrls.length),
          },
        },
        signal,
      ),
    ),
  );
  try {
    return await whileWatched(course, async () => {
      const finished = await Promise.all(loads.map((each) => each.run()));
      for (const each of finished) course.batches.push(...each.batches);
      return { events: finished.reduce((sum, { tally }) => sum + tally.accepted, 0) };
    });
  } finally {
    for (const each of loads) each.kill();
  }
}

async function append(course: Course, seconds: number): Promise<WayMeasured> {
  const { apiUrls } = course.processes;
  const turn = course.turns++;
  const bodies = makeAppendBodies();
  return whileWatched(course, async () => {
    const loads = apiUrls.map((url, index) => {
      let number = 0;
      const path = () => {
        number += 1;
        return `/api/v1/streams/${STREAM_TYPE}/${turn}-${index}-${number}/events`;
      };
      return load({ url, path, bodies, connections: APPENDING_CONNECTIONS / apiUrls.length, seconds });
    });
    const results = await Promise.all(loads);
    const failures = results.reduce((sum, result) => sum + result.failures, 0);
    course.failedAppends += failures;
    return {
      events: results.reduce((sum, { responses }) => sum + responses, 0) - failures,
      seconds: Math.max(...results.map((result) => result.seconds)),
    };
  });
}

/**
 * Measures work until all of its events are stored and projected.
 * @param work gives the number of its events, and their time where it is not that until all were projected
 */
async function whileWatched(
  course: Course,
  work: () => Promise<{ readonly events: number; readonly seconds?: number }>,
): Promise<WayMeasured> {
  const { processes, gauge, signal } = course;
  const before = cpuOf(processes);
  const { result, use } = await gauge.during(async () => {
    const began = performance.now();
    const { events, seconds } = await work();
    course.sent += events;
    const patience = { patienceMs: DRAIN_PATIENCE_MS, signal };
    if (!(await untilProjected(processes.apiUrl, course.sent, patience)))
      throw new Error(`${course.sent} events were accepted, and not all were projected in time.`);
    return { events, seconds: seconds ?? (performance.now() - began) / 1_000 };
  });
  const after = cpuOf(processes);
  return {
    ...result,
    cpu: {
      api: after.api - before.api,
      worker: after.worker - before.worker,
      broker: after.broker - before.broker,
    },
    server: use,
  };
}

function cpuOf(processes: SeparateProcesses): Record<Program, number> {
  const total = { api: 0, worker: 0, broker: 0 };
  for (const name of processes.names) {
    const program = name.startsWith("api") ? "api" : name.startsWith("worker") ? "worker" : "broker";
    total[program] += readProcess(processes.pidOf(name))?.cpuSeconds ?? 0;
  }
  return total;
}
