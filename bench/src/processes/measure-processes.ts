import { createTemporaryDatabase } from "@synap/scripts/performance/temporary-database.ts";
import { SeparateProcesses } from "@synap/scripts/processes/separate-processes.ts";
import { type Address, TcpProxy } from "@synap/scripts/processes/tcp-proxy.ts";
import { makeEvents } from "../events/make-events.ts";
import { load } from "../http/load.ts";
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

/** A set of processes that was measured. */
export interface SetMeasured {
  readonly published: WayMeasured;
  readonly appended: WayMeasured;
  readonly findings: StoreFindings;
  /** Appends that were not answered 2xx. */
  readonly failures: number;
}

export interface ProcessesPlan {
  readonly serverUrl: string;
  /** The number of APIs, and that of workers. */
  readonly count: number;
  readonly warmUpSeconds: number;
  readonly publishSeconds: number;
  readonly appendSeconds: number;
  readonly signal: AbortSignal;
}

/** The same offered load for every set: so many requests in flight, divided among the APIs. */
const PUBLISHING_CONNECTIONS = 4;
const APPENDING_CONNECTIONS = 64;
const BATCH = { size: 1_000, streams: 100 };
const STREAM_TYPE = "order";
/** Numbers of batches of each process that publishes, so that no two send the same. */
const BATCHES_EACH = 1_000_000;
const DRAIN_PATIENCE_MS = 90_000;
const HOST = "127.0.0.1";

/**
 * Starts as many APIs as workers, the local broker and a database, publishes batches of 1,000 through all of it, and then appends
 * single events to new streams over HTTP. Afterwards every published id is compared.
 * @throws Error when something accepted was not stored and projected in time
 */
export async function measureProcesses(plan: ProcessesPlan): Promise<SetMeasured> {
  const { serverUrl, count, signal } = plan;
  const temporary = await createTemporaryDatabase(serverUrl, "processes");
  const { url = "" } = temporary;
  const stops = [temporary.remove];
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
    const gauge = await watchServer(url);
    stops.push(gauge.close);

    const course = { processes, gauge, signal, before: 0 };
    const batches: SentBatch[] = [];
    await publish(course, plan.warmUpSeconds, 0, batches);
    const published = await publish(course, plan.publishSeconds, BATCHES_EACH / 2, batches);
    await append(course, plan.warmUpSeconds, 0);
    const { failures, ...appended } = await append(course, plan.appendSeconds, 1);
    const findings = await examineStore(temporary.database, batches, BATCH.size);
    return { published, appended, findings, failures };
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** Processes that are being measured. */
interface Course {
  readonly processes: SeparateProcesses;
  readonly gauge: ServerGauge;
  readonly signal: AbortSignal;
  /** Events sent so far. */
  before: number;
}

/** Publishes for a while to all APIs at once, and waits until everything is projected. */
async function publish(
  course: Course,
  seconds: number,
  first: number,
  batches: SentBatch[],
): Promise<WayMeasured> {
  const { processes, signal } = course;
  const connections = Math.max(1, PUBLISHING_CONNECTIONS / processes.apiUrls.length);
  const loads = await Promise.all(
    processes.apiUrls.map((apiUrl, index) =>
      prepareLoad(
        {
          apiUrl,
          batch: BATCH,
          first: index * BATCHES_EACH + first,
          seconds,
          pace: { kind: "as fast as accepted", connections },
        },
        signal,
      ),
    ),
  );
  try {
    return await whileWatched(course, async () => {
      const finished = await Promise.all(loads.map((each) => each.run()));
      for (const each of finished) batches.push(...each.batches);
      return { events: finished.reduce((sum, { tally }) => sum + tally.accepted, 0) };
    });
  } finally {
    for (const each of loads) each.kill();
  }
}

/** Appends for a while through all APIs at once, one event to each of many new streams, and waits until everything is projected. */
async function append(
  course: Course,
  seconds: number,
  lap: number,
): Promise<WayMeasured & { readonly failures: number }> {
  const { apiUrls } = course.processes;
  const bodies = makeEvents({ count: 200, streams: 200 })
    .filter(({ aggregateType }) => aggregateType === STREAM_TYPE)
    .map(({ type, data }) => JSON.stringify({ expectedVersion: "no-stream", events: [{ type, data }] }));
  let failures = 0;
  const measured = await whileWatched(course, async () => {
    const loads = apiUrls.map((url, index) => {
      let number = 0;
      const path = () => {
        number += 1;
        return `/api/v1/streams/${STREAM_TYPE}/${lap}-${index}-${number}/events`;
      };
      return load({ url, path, bodies, connections: APPENDING_CONNECTIONS / apiUrls.length, seconds });
    });
    const results = await Promise.all(loads);
    failures = results.reduce((sum, result) => sum + result.failures, 0);
    return {
      events: results.reduce((sum, { responses }) => sum + responses, 0) - failures,
      seconds: Math.max(...results.map((result) => result.seconds)),
    };
  });
  return { ...measured, failures };
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
  await gauge.take();
  const before = cpuOf(processes);
  const began = performance.now();
  const { events, seconds } = await work();
  course.before += events;
  const patience = { patienceMs: DRAIN_PATIENCE_MS, signal };
  if (!(await untilProjected(processes.apiUrl, course.before, patience)))
    throw new Error(`${course.before} events were accepted, and not all were projected in time.`);
  const until = (performance.now() - began) / 1_000;
  const after = cpuOf(processes);
  return {
    events,
    seconds: seconds ?? until,
    cpu: {
      api: after.api - before.api,
      worker: after.worker - before.worker,
      broker: after.broker - before.broker,
    },
    server: await gauge.take(),
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
