import { describe, expect, it } from "vitest";
import { exampleFigure, exampleReport, exampleSection, reportOf } from "../../test/example-report.ts";
import type { Figure } from "../benchmark.ts";
import { compareReports } from "./compare-reports.ts";
import { exitCodeOf, judgeRun } from "./judge-run.ts";
import type { Report } from "./report.ts";

const exitCode = (report: Report, options: { baseline?: Report; strict?: boolean } = {}) => {
  const comparison = options.baseline && compareReports(report, options.baseline);
  return exitCodeOf(judgeRun(report, comparison), options.strict ?? false);
};
const slow = exampleFigure({ value: 0.5, target: { comparison: "at least", bound: 0.8 } });
const lost: Figure = exampleFigure({
  unit: "events",
  better: "lower",
  value: 3,
  target: { comparison: "at most", bound: 0 },
});

describe("the exit code of a run", () => {
  it("is 0 when everything ran, also with a missed target, unless the run is strict", () => {
    expect(exitCode(reportOf([exampleFigure()]))).toBe(0);
    expect(exitCode(reportOf([slow]))).toBe(0);
    expect(exitCode(reportOf([slow]), { strict: true })).toBe(1);
    expect(exitCode(reportOf([{ ...slow, value: 0.8 }]), { strict: true })).toBe(0);
  });

  it("is 1 when something is there of which there must be none", () => {
    expect(exitCode(reportOf([lost]))).toBe(1);
    expect(exitCode(reportOf([{ ...lost, value: 0 }]))).toBe(0);
  });

  it("is 1 after a regression, and 0 after an improvement", () => {
    const before = reportOf([exampleFigure({ value: 100 })]);
    expect(exitCode(reportOf([exampleFigure({ value: 60 })]), { baseline: before })).toBe(1);
    expect(exitCode(reportOf([exampleFigure({ value: 160 })]), { baseline: before })).toBe(0);
  });

  it("is 1 when a benchmark failed, and 130 when the run was interrupted", () => {
    const ended = (status: "failed" | "interrupted" | "not run") =>
      exitCode(exampleReport({ benchmarks: [exampleSection({ status, figures: [] })] }));
    expect(ended("failed")).toBe(1);
    expect(ended("interrupted")).toBe(130);
    expect(ended("not run")).toBe(130);
  });
});

describe("a judgement", () => {
  it("counts targets and names figures", () => {
    const met = exampleFigure({ id: "met", target: { comparison: "at most", bound: 100 } });
    const report = reportOf([{ ...slow, id: "slow" }, met, { ...lost, id: "lost" }, exampleFigure()]);
    expect(judgeRun(report, undefined)).toEqual({
      met: 1,
      missed: 2,
      broken: ["lost"],
      regressions: [],
      improvements: [],
      failed: [],
      isInterrupted: false,
    });
  });
});
