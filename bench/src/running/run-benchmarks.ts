import { describeZodIssues } from "@synap/types/internal";
import type { BenchContext, Benchmark, BenchmarkResult } from "../benchmark.ts";
import { figureSchema, plotSchema, type Section } from "../report/report.ts";

/** Input of a run of several benchmarks: the context of each, and a callback for results. */
export interface RunOptions extends BenchContext {
  readonly onEnd: (section: Section) => void;
}

/**
 * Runs benchmarks one after the other. One that fails is noted with its reason and the others go on. When the signal
 * is aborted the one that runs is asked to stop, and those after it are not run.
 */
export async function runBenchmarks(
  benchmarks: readonly Benchmark[],
  { onEnd, onProgress, ...context }: RunOptions,
): Promise<Section[]> {
  const sections: Section[] = [];
  const taken = new Set<string>();
  for (const [index, benchmark] of benchmarks.entries()) {
    const shareOf = (share: number) => (index + Math.min(1, Math.max(0, share))) / benchmarks.length;
    const tell = (text: string, share: number) => onProgress(`${benchmark.name}: ${text}`, shareOf(share));
    const section = await runOne(benchmark, { ...context, onProgress: tell }, taken);
    for (const { id } of section.figures) taken.add(id);
    sections.push(section);
    onEnd(section);
  }
  return sections;
}

async function runOne(
  benchmark: Benchmark,
  context: BenchContext,
  taken: ReadonlySet<string>,
): Promise<Section> {
  const { name, title } = benchmark;
  const nothing = { name, title, figures: [], plots: [], skipped: [] };
  if (context.signal.aborted) return { ...nothing, status: "not run", tookMs: 0 };
  const from = performance.now();
  const tookMs = () => Math.round(performance.now() - from);
  try {
    context.onProgress("starting", 0);
    const result = await benchmark.run(context);
    const checked = checkResult(result, taken);
    return {
      name,
      title,
      status: context.signal.aborted ? "interrupted" : "done",
      tookMs: tookMs(),
      ...checked,
    };
  } catch (error) {
    if (context.signal.aborted) return { ...nothing, status: "interrupted", tookMs: tookMs() };
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ...nothing, status: "failed", tookMs: tookMs(), error: reason };
  }
}

/** A result that the report can hold: finite numbers, and ids that mean one figure each. */
function checkResult(
  result: BenchmarkResult,
  taken: ReadonlySet<string>,
): Pick<Section, "figures" | "plots" | "skipped"> {
  const seen = new Set(taken);
  for (const figure of result.figures) {
    const reading = figureSchema.safeParse(figure, { reportInput: true });
    if (!reading.success)
      throw new Error(`The figure ${figure.id}: ${describeZodIssues(reading.error.issues, "it")}`);
    if (seen.has(figure.id)) throw new Error(`Two figures have the id ${figure.id}.`);
    seen.add(figure.id);
  }
  for (const plot of result.plots ?? []) {
    const reading = plotSchema.safeParse(plot, { reportInput: true });
    if (!reading.success)
      throw new Error(`The plot "${plot.title}": ${describeZodIssues(reading.error.issues, "it")}`);
  }
  return {
    figures: [...result.figures],
    plots: [...(result.plots ?? [])],
    skipped: [...(result.skipped ?? [])],
  };
}
