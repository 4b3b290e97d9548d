import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { duration } from "@synap/cli/terminal/numbers.ts";
import { ProgressLine } from "@synap/cli/terminal/progress-line.ts";
import { abortOnSignal, UsageError } from "@synap/service";
import { count } from "@synap/types/internal";
import type { BenchMode, Benchmark } from "../benchmark.ts";
import { describeCommit } from "../report/commit.ts";
import { type Comparison, compareReports } from "../report/compare-reports.ts";
import { describeEngines } from "../report/engine-versions.ts";
import { exitCodeOf, judgeRun } from "../report/judge-run.ts";
import { readReport, saveBaseline } from "../report/keep-report.ts";
import { describeMachine } from "../report/machine.ts";
import { isMet, type Report, type Section } from "../report/report.ts";
import { reportAsText } from "../report/report-as-text.ts";
import { runBenchmarks } from "./run-benchmarks.ts";
import { writeReportFiles } from "./write-report-files.ts";

/** Benchmarks to run, baseline to compare with, and destination of the report. */
export interface BenchRequest {
  readonly mode: BenchMode;
  readonly benchmarks: readonly Benchmark[];
  readonly serverUrl: string | undefined;
  readonly inngestUrl: string | undefined;
  readonly outputDirectory: string;
  readonly baselineFile: string;
  /** True when a missing baseline is an error. */
  readonly mustHaveBaseline: boolean;
  readonly saveBaseline: boolean;
  readonly isStrict: boolean;
}

const repository = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * Measures, compares, writes the report and prints what it says. Everything that can be found wrong beforehand is
 * found before the first measurement.
 *
 * @returns the exit code, see `exitCodeOf`
 * @throws UsageError, ReportUnreadableError, ServerUnusableError
 */
export async function runBench(request: BenchRequest): Promise<number> {
  const { mode, benchmarks, serverUrl, inngestUrl } = request;
  const baseline = readBaseline(request);
  const progress = new ProgressLine();
  const signal = abortOnSignal();
  const from = performance.now();
  const start = {
    format: 1 as const,
    mode,
    startedAt: new Date().toISOString(),
    // Before the engines are looked at: that alone is some load.
    machine: describeMachine(),
    commit: await describeCommit(repository),
    engines: await describeEngines(serverUrl),
  };
  const sections = await runBenchmarks(benchmarks, {
    mode,
    serverUrl,
    inngestUrl,
    signal,
    onProgress: (text, share) => progress.show(share, text),
    onEnd: (section) => progress.say(describeEnd(section)),
  });
  progress.end();
  const report: Report = { ...start, tookMs: Math.round(performance.now() - from), benchmarks: sections };
  const comparison = baseline && compareReports(report, baseline);
  const judgement = judgeRun(report, comparison);
  console.log(reportAsText(report, comparison, judgement));
  for (const file of writeReportFiles(request.outputDirectory, report, comparison)) {
    console.log(`written: ${shown(file)}`);
  }
  if (request.saveBaseline) keepAsBaseline(request, report, comparison);
  return exitCodeOf(judgement, request.isStrict);
}

function readBaseline({
  baselineFile,
  mustHaveBaseline,
  saveBaseline,
  mode,
}: BenchRequest): Report | undefined {
  const baseline = readReport(baselineFile);
  if (baseline === undefined && mustHaveBaseline) throw new UsageError(`There is no file ${baselineFile}.`);
  if (baseline === undefined && !saveBaseline) {
    console.error(
      `No baseline at ${shown(baselineFile)} yet: nothing to compare with. --save-baseline makes one.`,
    );
  }
  if (baseline !== undefined && baseline.mode !== mode) {
    throw new UsageError(
      `${shown(baselineFile)} is of a ${baseline.mode} run and can't be compared with a ${mode} one.`,
    );
  }
  return baseline;
}

function keepAsBaseline(request: BenchRequest, report: Report, comparison: Comparison | undefined): void {
  const { failed, broken, isInterrupted } = judgeRun(report, comparison);
  if (failed.length > 0 || broken.length > 0 || isInterrupted) {
    console.error("Not kept as the baseline: it must be a whole run in which nothing failed.");
    return;
  }
  saveBaseline(request.baselineFile, report);
  console.log(`kept as the baseline: ${shown(request.baselineFile)}`);
}

function describeEnd({ name, status, tookMs, figures, error }: Section): string {
  if (status === "not run") return `${name}: not run`;
  if (status === "failed") return `${name}: FAILED after ${duration(tookMs)}: ${error?.split("\n")[0]}`;
  const missed = figures.filter((figure) => isMet(figure) === false).length;
  const misses = missed === 0 ? "" : `, ${missed} ${missed === 1 ? "target" : "targets"} missed`;
  return `${name}: ${status}, ${count(figures.length)} figures in ${duration(tookMs)}${misses}`;
}

/** A path as it is shortest to type from where the command was started. */
function shown(file: string): string {
  const near = relative(process.cwd(), file);
  return near.startsWith("..") ? file : near;
}
