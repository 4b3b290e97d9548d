import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportAsPage } from "../page/report-as-page.ts";
import { drawPlotFile } from "../plots/draw-plot.ts";
import type { Comparison } from "../report/compare-reports.ts";
import { saveReport } from "../report/keep-report.ts";
import type { Report } from "../report/report.ts";
import { reportAsMarkdown } from "../report/report-as-markdown.ts";

/**
 * Writes report.json, report.md, report.html and a file for each plot (plots/BENCHMARK-TITLE.svg) into a directory, making it where
 * needed.
 *
 * @returns the files written
 */
export function writeReportFiles(
  directory: string,
  report: Report,
  comparison: Comparison | undefined,
): string[] {
  const json = join(directory, "report.json");
  const markdown = join(directory, "report.md");
  const page = join(directory, "report.html");
  saveReport(json, report);
  writeFileSync(markdown, reportAsMarkdown(report, comparison));
  writeFileSync(page, reportAsPage(report, comparison));
  const plots = report.benchmarks.flatMap(({ name, plots }) =>
    plots.map((plot) => ({
      file: join(directory, "plots", `${fileName(`${name} ${plot.title}`)}.svg`),
      plot,
    })),
  );
  if (plots.length > 0) mkdirSync(join(directory, "plots"), { recursive: true });
  for (const { file, plot } of plots) writeFileSync(file, drawPlotFile(plot));
  return [json, markdown, page];
}

function fileName(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
