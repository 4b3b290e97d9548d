import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportAsPage } from "../page/report-as-page.ts";
import type { Comparison } from "../report/compare-reports.ts";
import { saveReport } from "../report/keep-report.ts";
import type { Report } from "../report/report.ts";
import { reportAsMarkdown } from "../report/report-as-markdown.ts";

/**
 * Writes report.json, report.md and report.html into a directory, making it where needed.
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
  return [json, markdown, page];
}
