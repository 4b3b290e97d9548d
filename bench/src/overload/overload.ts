import { percentile } from "@synap/cli/terminal/numbers.ts";
import type { Engine } from "@synap/database";
import type { Benchmark, BenchmarkResult, Figure, Plot } from "../benchmark.ts";
import { idlePostMs, measureOverload, type OverloadRun } from "./measure-overload.ts";
import type { Probe } from "./probes.ts";

const PLANS = {
  full: { capacitySeconds: 10, overloadSeconds: 60 },
  quick: { capacitySeconds: 3, overloadSeconds: 6 },
};
/** Slowest 99th percentile of responses that counts as responsive. Clients wait for seconds. */
const RESPONSIVE_MS = 1_000;

/** Behaviour at three times the capacity of the pipeline, and the effect on a small request. */
export const overload: Benchmark = {
  name: "overload",
  title: "Three times the capacity",
  async run(context): Promise<BenchmarkResult> {
    const { mode, serverUrl, signal } = context;
    const engines: Engine[] = serverUrl === undefined ? ["embedded"] : ["embedded", "server"];
    const done: { engine: Engine; run: OverloadRun }[] = [];
    for (const [index, engine] of engines.entries()) {
      const run = await measureOverload({
        engine,
        serverUrl,
        plan: PLANS[mode],
        onProgress: (text, share) =>
          context.onProgress(`${engine}: ${text}`, (index + share) / engines.length),
        signal,
      });
      done.push({ engine, run });
    }
    const undrained = done.filter(({ run }) => run.findings === undefined);
    return {
      figures: done.flatMap(({ engine, run }) => [
        ...loadFigures(engine, run),
        ...probeFigures(engine, run),
        ...promises(engine, run),
      ]),
      plots: plots(done),
      skipped: [
        ...(serverUrl === undefined ? ["On a server: there is none."] : []),
        ...undrained.map(
          ({ engine }) => `${engine}: whether anything was lost, since not all was stored in time.`,
        ),
      ],
    };
  },
};

function loadFigures(engine: Engine, run: OverloadRun): Figure[] {
  const { capacity, offered, tally, moments, residentMib } = run;
  const most = Math.max(...moments.map((moment) => moment.residentMib));
  const seconds = moments.at(-1)?.seconds ?? 0;
  const accepted = tally.accepted / seconds;
  return [
    {
      id: `overload.${engine}.accepted`,
      name: "answered 2xx under three times the capacity",
      engine,
      value: accepted,
      unit: "events/s",
      better: "higher",
      note:
        `Capacity just before: ${Math.round(capacity)} events/s to the last projection; offered: ` +
        `${Math.round(offered)} events/s. ${tally.unsent} batches could not be sent, ${tally.failed} failed other than by 503.`,
    },
    {
      id: `overload.${engine}.shed`,
      name: "batches answered 503 under three times the capacity",
      engine,
      value: tally.shed,
      unit: "requests",
      better: "higher",
      target: { comparison: "at least", bound: 1 },
    },
    {
      id: `overload.${engine}.shed-without-retry-after`,
      name: "answers 503 without Retry-After",
      engine,
      value: tally.shedWithoutRetryAfter,
      unit: "requests",
      better: "lower",
      target: { comparison: "at most", bound: 0 },
    },
    {
      id: `overload.${engine}.memory`,
      name: "most memory of Synap's process under three times the capacity",
      engine,
      value: most,
      unit: "MiB",
      better: "lower",
      note: `${Math.round(residentMib)} MiB before.`,
    },
    {
      id: `overload.${engine}.memory-growth`,
      name: "memory in the last quarter of the overload against the second quarter, at their peaks",
      engine,
      value: peak(moments, 0.75, 1) / peak(moments, 0.25, 0.5),
      unit: "ratio",
      better: "lower",
      target: { comparison: "at most", bound: 1.15 },
      note: "What is bounded stops growing while the load goes on.",
    },
  ];
}

function peak(moments: OverloadRun["moments"], from: number, to: number): number {
  const end = moments.at(-1)?.seconds ?? 0;
  const part = moments.filter(({ seconds }) => seconds >= from * end && seconds <= to * end);
  return Math.max(...part.map(({ residentMib }) => residentMib));
}

function probeFigures(engine: Engine, run: OverloadRun): Figure[] {
  const latency = (probes: readonly Probe[], share: number) =>
    percentile(
      probes.map(({ ms }) => ms),
      share,
    );
  const milliseconds = { engine, unit: "ms", better: "lower" } as const;
  const responsive = { comparison: "at most", bound: RESPONSIVE_MS } as const;
  const all = [...run.posts, ...run.statuses];
  const answered = all.filter(({ status }) => (status >= 200 && status < 300) || status === 503);
  const accepted = run.posts.filter(({ status }) => status >= 200 && status < 300).length;
  return [
    {
      id: `overload.${engine}.post-p50`,
      name: "one event posted under three times the capacity, p50",
      value: latency(run.posts, 0.5),
      ...milliseconds,
      note: `${idlePostMs(run).toFixed(1)} ms without load. ${accepted} of ${run.posts.length} were accepted, the others answered 503.`,
    },
    {
      id: `overload.${engine}.post-p99`,
      name: "one event posted under three times the capacity, p99",
      value: latency(run.posts, 0.99),
      ...milliseconds,
      target: responsive,
    },
    {
      id: `overload.${engine}.status-p99`,
      name: "GET /api/v1/status under three times the capacity, p99",
      value: latency(run.statuses, 0.99),
      ...milliseconds,
      target: responsive,
    },
    {
      id: `overload.${engine}.answered`,
      name: "of these single requests, answered 2xx or 503 within ten seconds",
      engine,
      value: answered.length / all.length,
      unit: "ratio",
      better: "higher",
      target: { comparison: "at least", bound: 1 },
    },
    {
      id: `overload.${engine}.recovery`,
      name: "from the end of the overload until single events are answered as before",
      engine,
      value: run.recoverySeconds ?? Number.POSITIVE_INFINITY,
      unit: "s",
      better: "lower",
      target: { comparison: "at most", bound: 10 },
      note:
        run.drainSeconds === undefined
          ? "What was accepted was not all projected three minutes later."
          : `All that was accepted was projected after ${run.drainSeconds.toFixed(1)} s.`,
    },
  ];
}

function promises(engine: Engine, { findings, lostProbes }: OverloadRun): Figure[] {
  if (findings === undefined) return [];
  const none = { engine, better: "lower", target: { comparison: "at most", bound: 0 } } as const;
  return [
    {
      id: `overload.${engine}.lost`,
      name: "answered 2xx under three times the capacity and not stored",
      value: findings.lost + lostProbes,
      unit: "events",
      ...none,
      note: `Every id is compared. ${findings.unanswered} events were stored although their sender got no 2xx.`,
    },
    {
      id: `overload.${engine}.twice`,
      name: "stored more than once",
      value: findings.twice,
      unit: "events",
      ...none,
    },
    {
      id: `overload.${engine}.projection-faults`,
      name: "read models and checkpoints that differ from the events",
      value: findings.projectionFaults.length,
      unit: "read models",
      ...none,
      note: findings.projectionFaults.join("; ") || undefined,
    },
  ];
}

function plots(done: readonly { engine: Engine; run: OverloadRun }[]): Plot[] {
  const shares = [1, 10, 25, 50, 75, 90, 95, 99, 100];
  return [
    {
      title: "One event posted, without load and under three times the capacity",
      kind: "lines",
      xLabel: "percent of the requests that were answered",
      yLabel: "within ms",
      yScale: "log",
      series: done.flatMap(({ engine, run }) =>
        [
          { name: `${engine}, without load`, probes: run.idlePosts },
          { name: `${engine}, overloaded`, probes: run.posts },
        ].map(({ name, probes }) => ({
          name,
          points: shares.map((share) => ({
            x: share,
            y: percentile(
              probes.map(({ ms }) => ms),
              share / 100,
            ),
          })),
        })),
      ),
    },
    {
      title: "Memory of Synap's process under three times the capacity",
      kind: "lines",
      xLabel: "seconds since the load began",
      yLabel: "MiB",
      series: done.map(({ engine, run }) => ({
        name: engine,
        points: run.moments.map(({ seconds, residentMib }) => ({ x: seconds, y: residentMib })),
      })),
    },
  ];
}
