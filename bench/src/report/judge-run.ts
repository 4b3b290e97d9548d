import { EXIT, type ExitCode } from "@synap/service";
import type { Comparison } from "./compare-reports.ts";
import { figuresOf, isBroken, isMet, type Report } from "./report.ts";

/** Verdict on a run. */
export interface RunJudgement {
  readonly met: number;
  readonly missed: number;
  /** Ids of figures that break a promise: see `isBroken`. */
  readonly broken: readonly string[];
  /** Ids of figures that became worse than the baseline by more than their tolerance. */
  readonly regressions: readonly string[];
  readonly improvements: readonly string[];
  /** Names of benchmarks that failed. */
  readonly failed: readonly string[];
  readonly isInterrupted: boolean;
}

/** Counts what a report and its comparison with the baseline (undefined: there was none) say. */
export function judgeRun(report: Report, comparison: Comparison | undefined): RunJudgement {
  const figures = figuresOf(report);
  const withVerdict = (verdict: string) =>
    (comparison?.changes ?? []).filter((change) => change.verdict === verdict).map(({ id }) => id);
  return {
    met: figures.filter((figure) => isMet(figure) === true).length,
    missed: figures.filter((figure) => isMet(figure) === false).length,
    broken: figures.filter(isBroken).map(({ id }) => id),
    regressions: withVerdict("worse"),
    improvements: withVerdict("better"),
    failed: report.benchmarks.filter(({ status }) => status === "failed").map(({ name }) => name),
    isInterrupted: report.benchmarks.some(({ status }) => status === "interrupted" || status === "not run"),
  };
}

/**
 * The exit code of a run: 130 when it was interrupted; 1 when a benchmark failed, a promise was broken or a regression
 * was named, and in a strict run also when a target was missed; otherwise 0.
 */
export function exitCodeOf(judgement: RunJudgement, isStrict: boolean): ExitCode {
  const { isInterrupted, failed, broken, regressions, missed } = judgement;
  if (isInterrupted) return EXIT.interrupted;
  if (failed.length > 0 || broken.length > 0 || regressions.length > 0) return EXIT.failed;
  return isStrict && missed > 0 ? EXIT.failed : EXIT.done;
}
