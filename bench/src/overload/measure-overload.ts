import { setTimeout as sleep } from "node:timers/promises";
import { median, percentile } from "@synap/cli/terminal/numbers.ts";
import type { Database, Engine } from "@synap/database";
import { examineStore, type StoreFindings } from "../load/examine-store.ts";
import { clock, type LoadPlan, type LoadTally, type SentBatch } from "../load/load-plan.ts";
import { type FinishedLoad, prepareLoad } from "../load/start-load.ts";
import { readProcess } from "../product/process-gauge.ts";
import { type Product, startProduct } from "../product/start-product.ts";
import { untilProjected, untilQuiet } from "../product/until-projected.ts";
import { type PostProbe, PROBE_SOURCE, type Probe, probePost, probeStatus, probeSteadily } from "./probes.ts";

/** Durations of the parts of a run, in seconds. */
export interface OverloadPlan {
  readonly capacitySeconds: number;
  readonly overloadSeconds: number;
}

/** A moment of the overload. */
export interface OverloadMoment {
  /** Since the load began. */
  readonly seconds: number;
  readonly accepted: number;
  readonly shed: number;
  readonly residentMib: number;
}

/** Measurements of one run. */
export interface OverloadRun {
  /** Events a second that go the whole way, measured just before. */
  readonly capacity: number;
  /** Events a second that were really sent. */
  readonly offered: number;
  readonly tally: LoadTally;
  /** Single events posted before the load, and during it. */
  readonly idlePosts: readonly Probe[];
  readonly posts: readonly Probe[];
  readonly statuses: readonly Probe[];
  readonly moments: readonly OverloadMoment[];
  /** Before the overload. */
  readonly residentMib: number;
  /** From the load's end until single events are answered as before; undefined: not within a minute. */
  readonly recoverySeconds: number | undefined;
  /** From the load's end until everything accepted was projected; undefined: not within the patience. */
  readonly drainSeconds: number | undefined;
  /** Undefined when not everything was projected. */
  readonly findings: StoreFindings | undefined;
  /** Probes answered 2xx whose event is not stored. */
  readonly lostProbes: number;
}

const BATCH = { size: 1_000, streams: 100 };
/** Offered load as a multiple of the capacity. */
const EXCESS = 3;
/** Requests under way at a time: more than a burst of Retry-After seconds needs, less than a machine's ports. */
const MAX_IN_FLIGHT = 500;
const PROBE_MS = 200;
const IDLE_PROBES = 50;
const RECOVERY_PATIENCE_MS = 60_000;
const DRAIN_PATIENCE_MS = 180_000;
/** So many single posts in a row, answered as before, are normal. */
const NORMAL_IN_A_ROW = 5;
/** Normal is not slower than this beyond the slowest of the unloaded ones, in milliseconds. */
const NORMAL_MARGIN_MS = 20;

/** Measures the capacity, offers three times as much for a while, and watches what single requests meet. */
export async function measureOverload(options: {
  readonly engine: Engine;
  readonly serverUrl: string | undefined;
  readonly plan: OverloadPlan;
  readonly onProgress: (text: string, share: number) => void;
  readonly signal: AbortSignal;
}): Promise<OverloadRun> {
  const { engine, plan, onProgress, signal } = options;
  const serverUrl = engine === "server" ? options.serverUrl : undefined;
  onProgress("starting", 0);
  const product = await startProduct({ serverUrl, purpose: "overload", signal });
  try {
    onProgress("measuring the capacity", 0.05);
    const { capacity, batches: first } = await measureCapacity(product, plan.capacitySeconds, signal);
    const idlePosts: PostProbe[] = [];
    for (let sent = 0; sent < IDLE_PROBES; sent += 1) idlePosts.push(await probePost(product.apiUrl));
    const residentMib = readProcess(product.pid)?.residentMib ?? 0;

    onProgress(`offering ${Math.round(capacity * EXCESS)} events/s`, 0.3);
    const under = await overload(product, plan.overloadSeconds, capacity, first.length, signal);
    const { stopped } = under;
    onProgress("waiting until it is back to normal", 0.8);
    const after = await recover(product.apiUrl, idlePosts, under, signal);
    const accepted = first.length * BATCH.size + under.load.tally.accepted;
    const probes = [...idlePosts, ...under.posts, ...after.posts];
    const patience = { patienceMs: DRAIN_PATIENCE_MS, signal };
    const drained = await untilProjected(
      product.apiUrl,
      accepted + probes.filter(isAccepted).length,
      patience,
    );
    const drainSeconds = drained ? (clock() - stopped) / 1000 : undefined;
    if (drained) await untilQuiet(product.apiUrl, signal);
    await product.stop();
    const store = await product.openStore();
    try {
      const sent = [...first, ...under.load.batches];
      return {
        capacity,
        offered: (under.load.batches.length * BATCH.size) / plan.overloadSeconds,
        tally: under.load.tally,
        idlePosts,
        posts: under.posts,
        statuses: under.statuses,
        moments: under.moments,
        residentMib,
        recoverySeconds: after.seconds,
        drainSeconds,
        findings: drained ? await examineStore(store, sent, BATCH.size) : undefined,
        lostProbes: drained ? await countLostProbes(store, probes) : 0,
      };
    } finally {
      await store.close();
    }
  } finally {
    await product.remove();
  }
}

async function measureCapacity(
  product: Product,
  seconds: number,
  signal: AbortSignal,
): Promise<{ capacity: number; batches: readonly SentBatch[] }> {
  const pace = { kind: "as fast as accepted" as const, connections: 4 };
  const plan: LoadPlan = { apiUrl: product.apiUrl, batch: BATCH, first: 0, seconds, pace };
  const load = await prepareLoad(plan, signal);
  try {
    const began = clock();
    const { tally, batches } = await load.run();
    await untilProjected(product.apiUrl, tally.accepted, { patienceMs: DRAIN_PATIENCE_MS, signal });
    return { capacity: (tally.accepted * 1000) / (clock() - began), batches };
  } finally {
    load.kill();
  }
}

interface Overloaded {
  readonly load: FinishedLoad;
  /** When the last request had left. Some are still being answered then. */
  readonly stopped: number;
  readonly posts: readonly PostProbe[];
  readonly statuses: readonly Probe[];
  readonly moments: readonly OverloadMoment[];
}

async function overload(
  { apiUrl, pid }: Product,
  seconds: number,
  capacity: number,
  first: number,
  signal: AbortSignal,
): Promise<Overloaded> {
  const batchesPerSecond = (capacity * EXCESS) / BATCH.size;
  const pace = { kind: "by the clock" as const, batchesPerSecond, maxInFlight: MAX_IN_FLIGHT };
  const load = await prepareLoad({ apiUrl, batch: BATCH, first, seconds, pace }, signal);
  const posting = probeSteadily(() => probePost(apiUrl), PROBE_MS);
  const asking = probeSteadily(() => probeStatus(apiUrl), PROBE_MS);
  const moments: OverloadMoment[] = [];
  const began = clock();
  const note = () => {
    const { accepted, shed } = load.tally();
    const residentMib = readProcess(pid)?.residentMib ?? 0;
    moments.push({ seconds: (clock() - began) / 1000, accepted, shed, residentMib });
  };
  const noting = setInterval(note, 500);
  try {
    const finished = await load.run();
    note();
    const stopped = began + seconds * 1000;
    return { load: finished, stopped, posts: await posting.end(), statuses: await asking.end(), moments };
  } finally {
    clearInterval(noting);
    await Promise.all([posting.end(), asking.end()]);
    load.kill();
  }
}

/** Posts single events until several in a row, sent after the load's end, are answered as before the load. */
async function recover(
  apiUrl: string,
  idle: readonly Probe[],
  { stopped, posts: earlier }: Overloaded,
  signal: AbortSignal,
): Promise<{ seconds: number | undefined; posts: PostProbe[] }> {
  const normal =
    NORMAL_MARGIN_MS +
    percentile(
      idle.map(({ ms }) => ms),
      0.99,
    );
  const posts: PostProbe[] = [];
  const since = earlier.filter(({ at }) => at >= stopped);
  let inARow: PostProbe[] = [];
  while (clock() < stopped + RECOVERY_PATIENCE_MS) {
    signal.throwIfAborted();
    const probe = since.shift() ?? (await probePost(apiUrl));
    if (!earlier.includes(probe)) posts.push(probe);
    inARow = isAccepted(probe) && probe.ms <= normal ? [...inARow, probe] : [];
    const [begin] = inARow;
    if (begin !== undefined && inARow.length >= NORMAL_IN_A_ROW) {
      return { seconds: (begin.at - stopped) / 1000, posts };
    }
    await sleep(50);
  }
  return { seconds: undefined, posts };
}

function isAccepted({ status }: Probe): boolean {
  return status >= 200 && status < 300;
}

async function countLostProbes(store: Database, probes: readonly PostProbe[]): Promise<number> {
  const rows = await store.query<{ id: string }>(
    `SELECT id FROM synap.events WHERE source = '${PROBE_SOURCE}'`,
  );
  const stored = new Set(rows.map(({ id }) => id));
  return probes.filter((probe) => isAccepted(probe) && !stored.has(probe.id)).length;
}

/** The middle of the unloaded posts, in milliseconds. */
export function idlePostMs({ idlePosts }: OverloadRun): number {
  return median(idlePosts.map(({ ms }) => ms));
}
