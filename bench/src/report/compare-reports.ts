import type { BenchMode, Figure } from "../benchmark.ts";
import { figuresOf, type Machine, type Report } from "./report.ts";

/** Change of a figure since the baseline. */
export type Verdict = "worse" | "better" | "same" | "new" | "not judged";

/** One figure beside its baseline. */
export interface Change {
  readonly id: string;
  readonly verdict: Verdict;
  /** The baseline's value; undefined for a new figure. */
  readonly before?: number;
  /** By which factor it may be worse before it counts: 1.25 is a quarter. Undefined where it is not judged. */
  readonly tolerance?: number;
  /** By which factor it is worse: 2 is half as fast or twice as long, below 1 is better. Undefined where it has none. */
  readonly worseBy?: number;
  /** Reason for not judging it. */
  readonly reason?: string;
}

/** A report beside a baseline. */
export interface Comparison {
  readonly baseline: Pick<Report, "startedAt" | "commit" | "mode">;
  /** True when both ran on the same kind of machine. Otherwise only ratios within a run are judged. */
  readonly isSameMachine: boolean;
  /** Differences between the two machines and engines, in sentences. */
  readonly differences: readonly string[];
  /** One for each figure of the report, in order. */
  readonly changes: readonly Change[];
  /** Figures of the baseline that the report should have and has not. */
  readonly missing: readonly Figure[];
}

/**
 * By which factor a figure may always be worse. A quick run measures for seconds and beside other work: it names what
 * has become half as good, no less.
 */
export const LEAST_TOLERANCE: Readonly<Record<BenchMode, number>> = { full: 1.25, quick: 2 };

/**
 * Compares figure by figure. A figure is worse when its value is worse than the baseline's by more than the tolerance:
 * 1.25 (quick: 2), or the spread of the one run times that of the other where that is more. Better is the same the
 * other way round. Ratios are judged on any machine; everything else only in a full run on the same kind of
 * machine.
 */
export function compareReports(report: Report, baseline: Report): Comparison {
  const isSameMachine =
    report.machine.cpu === baseline.machine.cpu && report.machine.cores === baseline.machine.cores;
  const before = new Map(figuresOf(baseline).map((figure) => [figure.id, figure]));
  const judge = { mode: report.mode, isSameMachine };
  const found = new Set(figuresOf(report).map(({ id }) => id));
  const ran = new Set(report.benchmarks.flatMap(({ name, status }) => (status === "done" ? [name] : [])));
  return {
    baseline: { startedAt: baseline.startedAt, commit: baseline.commit, mode: baseline.mode },
    isSameMachine,
    differences: [
      ...machineDifferences(report.machine, baseline.machine),
      ...engineDifferences(report, baseline),
    ],
    changes: figuresOf(report).map((figure) => compareFigures(figure, before.get(figure.id), judge)),
    missing: baseline.benchmarks
      .filter(({ name }) => ran.has(name))
      .flatMap(({ figures }) => figures.filter(({ id }) => !found.has(id))),
  };
}

/** Compares one figure with itself in the baseline. */
export function compareFigures(
  figure: Figure,
  before: Figure | undefined,
  { mode, isSameMachine }: { readonly mode: BenchMode; readonly isSameMachine: boolean },
): Change {
  const { id } = figure;
  if (before === undefined) return { id, verdict: "new" };
  const unjudged = (reason: string): Change => ({ id, verdict: "not judged", before: before.value, reason });
  if (figure.unit !== before.unit || figure.better !== before.better) {
    return { id, verdict: "not judged", reason: "it means something else in the baseline" };
  }
  if (figure.value < 0 || before.value < 0) return unjudged("a negative value has no ratio");
  const worseBy = worsening(figure, before);
  if (figure.unit !== "ratio" && !isSameMachine) return unjudged("another machine");
  if (figure.unit !== "ratio" && mode === "quick") return { ...unjudged("a quick run"), worseBy };
  const tolerance = Math.max(LEAST_TOLERANCE[mode], spread(figure) * spread(before));
  const verdict = worseBy > tolerance ? "worse" : worsening(before, figure) > tolerance ? "better" : "same";
  return { id, verdict, before: before.value, tolerance, worseBy };
}

/**
 * Spread of a figure's samples: the largest by the smallest, from five samples on without the outermost
 * two, as one outlier does not move a median either. 1 without samples, or where one is not above 0.
 */
export function spread({ samples = [] }: Figure): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const counted = sorted.length < 5 ? sorted : sorted.slice(1, -1);
  const [least, most] = [counted[0], counted.at(-1)];
  return least !== undefined && most !== undefined && least > 0 ? most / least : 1;
}

function worsening(now: Figure, before: Figure): number {
  if (now.value === before.value) return 1;
  return now.better === "higher" ? before.value / now.value : now.value / before.value;
}

function machineDifferences(now: Machine, before: Machine): string[] {
  return [
    differs("CPU", now.cpu, before.cpu),
    differs("cores", String(now.cores), String(before.cores)),
    differs("memory", gigabytes(now.memoryBytes), gigabytes(before.memoryBytes)),
    differs("Node.js", now.node, before.node),
  ].flat();
}

function engineDifferences(report: Report, baseline: Report): string[] {
  return report.engines.flatMap((engine) => {
    const before = baseline.engines.find((candidate) => candidate.engine === engine.engine);
    if (before === undefined) return [`${engine.engine} engine: not in the baseline`];
    return [
      differs(`${engine.engine} engine, PostgreSQL`, engine.postgresql, before.postgresql),
      differs(
        `${engine.engine} engine, TimescaleDB`,
        engine.timescaledb ?? "none",
        before.timescaledb ?? "none",
      ),
      differs(`${engine.engine} engine, edition`, engine.edition ?? "none", before.edition ?? "none"),
    ].flat();
  });
}

function differs(what: string, now: string, before: string): string[] {
  return now === before ? [] : [`${what}: ${before} before, ${now} now`];
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(0)} GiB`;
}
