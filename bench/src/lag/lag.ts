import { percentile } from "@synap/cli/terminal/numbers.ts";
import type { Engine } from "@synap/database";
import type { Benchmark, BenchmarkResult, Figure, Plot } from "../benchmark.ts";
import { type LagRun, measureLag } from "./measure-lag.ts";

const SECONDS = { full: 20, quick: 3 };
/** Until the just-in-time compiler has seen all there is, in seconds. */
const WARM_UP = { full: 5, quick: 2 };

/** Time from the 2xx for an event until a read model shows it, at 1,000 events a second. */
export const lag: Benchmark = {
  name: "lag",
  title: "From 2xx to visible in a read model",
  async run(context): Promise<BenchmarkResult> {
    const { mode, serverUrl, signal } = context;
    const engines: Engine[] = serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
    const done: { engine: Engine; run: LagRun }[] = [];
    for (const [index, engine] of engines.entries()) {
      const run = await measureLag({
        engine,
        serverUrl,
        warmUp: WARM_UP[mode],
        seconds: SECONDS[mode],
        onProgress: (text, share) =>
          context.onProgress(`${engine}: ${text}`, (index + share) / engines.length),
        signal,
      });
      done.push({ engine, run });
    }
    return {
      figures: done.flatMap(({ engine, run }) => figures(engine, run)),
      plots: [plotLags(done)],
      skipped: serverUrl === undefined ? ["On a server: there is none."] : [],
    };
  },
};

function figures(engine: Engine, { lags, missing, resolutionMs, answers }: LagRun): Figure[] {
  const method =
    `${lags.length} events in requests of ten. A reader asks a projection of all events over HTTP every ${resolutionMs.toFixed(1)} ms; ` +
    "the lag ends when it has the answer, so it holds that time in full.";
  const figureAt = (share: number, name: string, bound?: number): Figure => ({
    id: `lag.${engine}.${name}`,
    name: `from 2xx to visible in a read model at 1,000 events/s, ${name}`,
    engine,
    value: percentile(lags, share),
    unit: "ms",
    better: "lower",
    target: bound === undefined ? undefined : { comparison: "at most", bound },
    note: method,
  });
  return [
    figureAt(0.5, "p50", 50),
    figureAt(0.9, "p90"),
    figureAt(0.99, "p99", 250),
    figureAt(1, "max"),
    {
      id: `lag.${engine}.answer-p50`,
      name: "from sending ten events to their 2xx at 1,000 events/s, p50",
      engine,
      value: percentile(answers, 0.5),
      unit: "ms",
      better: "lower",
    },
    {
      id: `lag.${engine}.missing`,
      name: "answered 2xx and never visible",
      engine,
      value: missing,
      unit: "events",
      better: "lower",
      target: { comparison: "at most", bound: 0 },
    },
  ];
}

function plotLags(done: readonly { engine: Engine; run: LagRun }[]): Plot {
  const shares = [1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9];
  return {
    title: "From 2xx to visible in a read model, at 1,000 events/s",
    kind: "lines",
    xLabel: "percent of the events that were visible",
    yLabel: "within ms",
    series: done.map(({ engine, run }) => ({
      name: engine,
      points: shares.map((share) => ({ x: share, y: percentile(run.lags, share / 100) })),
    })),
  };
}
