import type { Engine } from "@synap/database";
import type { BenchContext, Benchmark, BenchmarkResult, Figure } from "../benchmark.ts";
import { envelopeFigures } from "./envelope-figures.ts";
import { measurePipeline, type PipelineRun } from "./measure-pipeline.ts";
import { memoryGrowth, pipelinePlots } from "./pipeline-course.ts";

const LOAD_SECONDS = { full: 60, quick: 6 };
/** An Inngest server takes whatever comes, at several times the pace at which it hands it on: all of it must be awaited. */
const INNGEST_LOAD_SECONDS = { full: 10, quick: 3 };

/** A run to be made: on an engine, with the local broker or a real Inngest server. */
interface PlannedRun {
  readonly engine: Engine;
  readonly inngestUrl?: string | undefined;
}

/**
 * Events a second through the whole pipeline: posted over HTTP in batches of 1,000, accepted, carried by the broker,
 * stored by the worker, and passed by every handler and projection. The product runs as `npm start` runs it, the
 * load comes from a separate process, and both share the machine. The clock stops when the last event is projected.
 */
export const pipeline: Benchmark = {
  name: "pipeline",
  title: "The whole pipeline",
  async run(context): Promise<BenchmarkResult> {
    const runs = planRuns(context);
    const done: { plan: PlannedRun; run: PipelineRun }[] = [];
    for (const [index, plan] of runs.entries()) {
      const name = nameOf(plan);
      const run = await measurePipeline({
        ...plan,
        serverUrl: context.serverUrl,
        seconds: loadSeconds(plan, context.mode),
        onProgress: (text, share) => context.onProgress(`${name}: ${text}`, (index + share) / runs.length),
        signal: context.signal,
      });
      done.push({ plan, run });
    }
    return {
      figures: [
        ...done.flatMap(({ plan, run }) => figures(plan, run, context.mode)),
        ...(await envelopeFigures()),
      ],
      plots: pipelinePlots(done.map(({ plan, run }) => ({ name: nameOf(plan), moments: run.moments }))),
      skipped: [
        ...done
          .filter(({ run }) => run.cut)
          .map(({ plan }) => `${nameOf(plan)}: whether anything was lost, since not all was stored in time.`),
        ...(context.serverUrl === undefined ? ["On a server: there is none."] : []),
        ...(context.inngestUrl === undefined
          ? ["Against a real Inngest server: INNGEST_BASE_URL names none."]
          : []),
      ],
    };
  },
};

function planRuns({ serverUrl, inngestUrl }: BenchContext): PlannedRun[] {
  const engines: Engine[] = serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
  const runs: PlannedRun[] = engines.map((engine) => ({ engine }));
  // Once is enough: the store costs the same behind either broker.
  if (inngestUrl !== undefined)
    runs.push({ engine: serverUrl === undefined ? "embedded" : "server", inngestUrl });
  return runs;
}

function loadSeconds({ inngestUrl }: PlannedRun, mode: BenchContext["mode"]): number {
  return (inngestUrl === undefined ? LOAD_SECONDS : INNGEST_LOAD_SECONDS)[mode];
}

function nameOf({ engine, inngestUrl }: PlannedRun): string {
  return inngestUrl === undefined ? engine : `${engine}, Inngest`;
}

function idOf({ engine, inngestUrl }: PlannedRun, what: string): string {
  return `pipeline.${engine}.${inngestUrl === undefined ? "" : "inngest."}${what}`;
}

function brokerOf({ inngestUrl }: PlannedRun): string {
  return inngestUrl === undefined ? "" : ", through an Inngest server";
}

function figures(plan: PlannedRun, run: PipelineRun, mode: BenchContext["mode"]): Figure[] {
  const { engine, inngestUrl } = plan;
  const { tally, cores } = run;
  const id = (what: string) => idOf(plan, what);
  const broker = brokerOf(plan);
  const course =
    `One run: ${loadSeconds(plan, mode)} s of load, ${run.seconds.toFixed(1)} s until all was projected. Processor time: ` +
    `${cores.product.toFixed(2)} cores in Synap's process, ${cores.load.toFixed(2)} in the load's.`;
  return [
    {
      id: id("throughput"),
      name: `posted, stored and projected, batches of 1,000${broker}`,
      engine,
      value: run.projected / run.seconds,
      unit: "events/s",
      better: "higher",
      // The target applies to the local broker; the throughput of an Inngest server is not ours.
      target: inngestUrl === undefined ? { comparison: "at least", bound: 10_000 } : undefined,
      note: run.cut ? `${course} Not all was projected when patience ended.` : course,
    },
    {
      id: id("accepted"),
      name: `answered 2xx while the load lasted${broker}`,
      engine,
      value: tally.accepted / run.loadSeconds,
      unit: "events/s",
      better: "higher",
      note: `${tally.shed} requests were answered 503 and sent again; ${tally.failed} failed otherwise.`,
    },
    {
      id: id("processor-time"),
      name: `processor time of Synap's process, an event${broker}`,
      engine,
      value: (cores.product * run.seconds * 1_000_000) / Math.max(1, run.projected),
      unit: "µs/event",
      better: "lower",
      note: engine === "embedded" ? "With the store inside." : "Without PostgreSQL.",
    },
    ...promises(plan, run),
    {
      id: id("memory"),
      name: `most memory of Synap's process${broker}`,
      engine,
      value: Math.max(...run.moments.map(({ residentMib }) => residentMib)),
      unit: "MiB",
      better: "lower",
      note: engine === "embedded" ? "With the store inside." : "Without PostgreSQL.",
    },
    ...growthFigure(plan, run, mode),
  ];
}

function growthFigure(plan: PlannedRun, { moments }: PipelineRun, mode: BenchContext["mode"]): Figure[] {
  const growth = mode === "full" ? memoryGrowth(moments) : undefined;
  if (growth === undefined) return [];
  return [
    {
      id: idOf(plan, "memory-growth"),
      name: `memory at the end against memory after a quarter of the run${brokerOf(plan)}`,
      engine: plan.engine,
      value: growth,
      unit: "ratio",
      better: "lower",
      target: { comparison: "at most", bound: 1.15 },
    },
  ];
}

/** Figures that must be zero. */
function promises(plan: PlannedRun, { findings }: PipelineRun): Figure[] {
  if (findings === undefined) return [];
  const { engine } = plan;
  const { lost, twice, projectionFaults } = findings;
  const none = { better: "lower", target: { comparison: "at most", bound: 0 }, engine } as const;
  const broker = brokerOf(plan);
  return [
    {
      id: idOf(plan, "lost"),
      name: `answered 2xx and not stored${broker}`,
      value: lost,
      unit: "events",
      ...none,
      note: "Every id that was answered 2xx is compared with the store.",
    },
    {
      id: idOf(plan, "twice"),
      name: `stored more than once${broker}`,
      value: twice,
      unit: "events",
      ...none,
    },
    {
      id: idOf(plan, "projection-faults"),
      name: `read models and checkpoints that differ from the events${broker}`,
      value: projectionFaults.length,
      unit: "read models",
      ...none,
      note: projectionFaults.join("; ") || undefined,
    },
  ];
}
