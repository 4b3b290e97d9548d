import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "@synap/database";
import { type Progress, readProgress } from "@synap/scripts/processes/progress.ts";
import { examineStore, type StoreFindings } from "../load/examine-store.ts";
import { clock, type LoadTally } from "../load/load-plan.ts";
import { type FinishedLoad, type Load, prepareLoad } from "../load/start-load.ts";
import { readProcess } from "../product/process-gauge.ts";
import { type Product, startProduct } from "../product/start-product.ts";
import { untilQuiet } from "../product/until-projected.ts";

/** A moment of a run. */
export interface PipelineMoment {
  /** Since the first request. */
  readonly seconds: number;
  /** Events answered 2xx, in the store, and passed by every handler and projection. */
  readonly accepted: number;
  readonly stored: number;
  readonly projected: number;
  /** Of the product's process. */
  readonly residentMib: number;
}

/** Result of a run through the whole pipeline. */
export interface PipelineRun {
  readonly tally: LoadTally;
  /** From the first request until every event was stored and projected; until patience ended, if it was `cut`. */
  readonly seconds: number;
  /** From the first request to the last response. */
  readonly loadSeconds: number;
  /** Events stored and projected by then. */
  readonly projected: number;
  /** It was not all stored and projected in time. */
  readonly cut: boolean;
  readonly moments: readonly PipelineMoment[];
  /** Processors in use on average: 1 is one core. */
  readonly cores: { readonly product: number; readonly load: number };
  /** Undefined when the run was cut: what is missing may still be in the broker's queue. */
  readonly findings: StoreFindings | undefined;
}

/** Connections that post batches, each its next one when the last is accepted. */
const CONNECTIONS = 4;
const SAMPLE_MS = 1_000;
const DRAIN_SAMPLE_MS = 100;

/** The batches of a run: those that issue and documentation speak of, 1,000 events to 100 streams. */
export const PIPELINE_BATCH = { size: 1_000, streams: 100 };

/** Sends batches as fast as they are accepted, waits until all is projected, stops the product and compares every id. */
export async function measurePipeline(options: {
  readonly engine: Engine;
  readonly serverUrl: string | undefined;
  readonly inngestUrl?: string | undefined;
  readonly seconds: number;
  readonly onProgress: (text: string, share: number) => void;
  readonly signal: AbortSignal;
}): Promise<PipelineRun> {
  const { engine, seconds, inngestUrl, onProgress, signal } = options;
  const serverUrl = engine === "server" ? options.serverUrl : undefined;
  onProgress("starting", 0);
  const product = await startProduct({ serverUrl, inngestUrl, purpose: "pipeline", signal });
  try {
    const pace = { kind: "as fast as accepted" as const, connections: CONNECTIONS };
    const plan = { apiUrl: product.apiUrl, batch: PIPELINE_BATCH, first: 0, seconds, pace };
    const load = await prepareLoad(plan, signal);
    try {
      const run = await watch(product, load, seconds, (text, share) => onProgress(text, share * 0.9), signal);
      onProgress("comparing every id", 0.95);
      if (!run.cut) await untilQuiet(product.apiUrl, signal);
      await product.stop();
      const store = await product.openStore();
      try {
        const findings = run.cut ? undefined : await examineStore(store, run.batches, PIPELINE_BATCH.size);
        return { ...run, findings };
      } finally {
        await store.close();
      }
    } finally {
      load.kill();
    }
  } finally {
    await product.remove();
  }
}

async function watch(
  product: Product,
  load: Load,
  seconds: number,
  onProgress: (text: string, share: number) => void,
  signal: AbortSignal,
): Promise<Omit<PipelineRun, "findings"> & Pick<FinishedLoad, "batches">> {
  const moments: PipelineMoment[] = [];
  const cpu = () => ({
    product: readProcess(product.pid)?.cpuSeconds ?? 0,
    load: readProcess(load.pid)?.cpuSeconds ?? 0,
  });
  const before = cpu();
  const began = clock();
  const since = () => (clock() - began) / 1000;
  let finished: FinishedLoad | undefined;
  let after = before;
  const running = load.run().then((result) => {
    finished = result;
  });
  // A failure ends the loop below, which asks for it.
  let failure: unknown;
  running.catch((error: unknown) => {
    failure = error;
  });
  let status: Progress | undefined;
  for (;;) {
    signal.throwIfAborted();
    if (failure !== undefined) throw failure;
    status = await readProgress(product.apiUrl);
    const { accepted } = load.tally();
    const { stored = 0, projected = 0 } = status ?? moments.at(-1) ?? {};
    const reading = readProcess(product.pid);
    moments.push({ seconds: since(), accepted, stored, projected, residentMib: reading?.residentMib ?? 0 });
    after = { product: reading?.cpuSeconds ?? 0, load: readProcess(load.pid)?.cpuSeconds ?? after.load };
    const isDrained = finished !== undefined && status !== undefined && projected >= accepted;
    if (isDrained || since() > Math.max(LEAST_PATIENCE, seconds * PATIENCE)) break;
    onProgress(`${accepted} accepted, ${projected} projected`, Math.min(1, since() / seconds / 1.5));
    await sleep(finished === undefined ? SAMPLE_MS : DRAIN_SAMPLE_MS);
  }
  const end = moments.at(-1)?.seconds ?? 0;
  if (finished === undefined) await running;
  const { tally, batches } = finished ?? { tally: load.tally(), batches: [] };
  const projected = moments.at(-1)?.projected ?? 0;
  return {
    tally,
    batches,
    seconds: end,
    loadSeconds: (Math.max(began, ...batches.map(({ answeredAt }) => answeredAt)) - began) / 1000,
    projected,
    cut: projected < tally.accepted,
    moments,
    cores: { product: (after.product - before.product) / end, load: (after.load - before.load) / end },
  };
}

/** A run may take so many times as long as its load: what is behind by more will not catch up. */
const PATIENCE = 4;
/** In seconds: short runs begin cold, and a broker that refuses nothing is far ahead when they end. */
const LEAST_PATIENCE = 90;
