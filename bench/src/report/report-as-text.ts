import { type Column, formatFields, formatTable } from "@synap/cli/terminal/table.ts";
import { changeText, comparisonText } from "./change-text.ts";
import type { Comparison } from "./compare-reports.ts";
import { metText, targetText, valueText } from "./figure-text.ts";
import type { RunJudgement } from "./judge-run.ts";
import { describeSurroundings } from "./machine-text.ts";
import type { Report, Section } from "./report.ts";

const COLUMNS: readonly Column[] = [
  { title: "figure" },
  { title: "engine" },
  { title: "value", align: "right" },
  { title: "target" },
  { title: "" },
  { title: "since baseline" },
];
/** Reports are read in wide windows and in CI logs; names of figures are whole sentences. */
const WIDTH = 150;

/** The report for a terminal. */
export function reportAsText(
  report: Report,
  comparison: Comparison | undefined,
  judgement: RunJudgement,
): string {
  return [
    "",
    formatFields(describeSurroundings(report)),
    ...report.benchmarks.map((section) => sectionText(section, comparison)),
    "",
    ...(comparison === undefined ? [] : [comparisonText(comparison)]),
    ...summary(judgement),
    ...(comparison?.missing ?? []).map(({ id }) => `gone since the baseline: ${id}`),
  ].join("\n");
}

/** Summary of a run, one line for each finding. */
export function summary(judgement: RunJudgement): string[] {
  const { met, missed, broken, regressions, improvements, failed, isInterrupted } = judgement;
  return [
    `targets: ${met} met, ${missed} missed`,
    ...broken.map((id) => `BROKEN: ${id} must be 0`),
    ...regressions.map((id) => `REGRESSION: ${id}`),
    ...improvements.map((id) => `improvement: ${id}`),
    ...failed.map((name) => `FAILED: ${name}`),
    ...(isInterrupted ? ["interrupted: the report holds what was measured by then"] : []),
  ];
}

function sectionText(section: Section, comparison: Comparison | undefined): string {
  const { title, status, figures, error, skipped } = section;
  const rows = figures.map((figure) => [
    figure.name,
    figure.engine ?? "",
    valueText(figure.value, figure.unit),
    figure.target === undefined ? "" : targetText(figure.target, figure.unit),
    metText(figure),
    changeText(comparison?.changes.find(({ id }) => id === figure.id)),
  ]);
  return [
    "",
    `${title}${status === "done" ? "" : ` (${status})`}`,
    ...(rows.length === 0 ? [] : [formatTable(COLUMNS, rows, WIDTH)]),
    ...(error === undefined ? [] : [`failed: ${error}`]),
    ...skipped.map((reason) => `skipped: ${reason}`),
  ].join("\n");
}
