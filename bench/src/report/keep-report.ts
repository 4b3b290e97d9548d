import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describeZodIssues } from "@synap/types/internal";
import { type Report, reportSchema } from "./report.ts";

/** A file that should hold a report does not. */
export class ReportUnreadableError extends Error {
  readonly code = "REPORT_UNREADABLE";

  constructor(file: string, reason: string) {
    super(`${file} is no report of this benchmark: ${reason}`);
    this.name = "ReportUnreadableError";
  }
}

/**
 * Reads a report back, as it was saved for a baseline.
 *
 * @returns undefined when there is no such file
 * @throws ReportUnreadableError naming the fields that are wrong, and what they must be
 */
export function readReport(file: string): Report | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new ReportUnreadableError(file, error instanceof Error ? error.message : String(error));
  }
  return parseReport(text, file);
}

/** @throws ReportUnreadableError; `file` is only named in it. */
export function parseReport(text: string, file: string): Report {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ReportUnreadableError(
      file,
      `it is not JSON (${error instanceof Error ? error.message : error})`,
    );
  }
  const reading = reportSchema.safeParse(json, { reportInput: true });
  if (reading.success) return reading.data;
  throw new ReportUnreadableError(file, describeZodIssues(reading.error.issues, "it"));
}

/** Writes a report as JSON, making the folders it needs. */
export function saveReport(file: string, report: Report): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, reportText(report));
}

/** Writes what later runs are compared with: the report without its plots, which nobody compares. */
export function saveBaseline(file: string, report: Report): void {
  saveReport(file, {
    ...report,
    benchmarks: report.benchmarks.map((section) => ({ ...section, plots: [] })),
  });
}

/** The report as JSON. Fractions are kept to six digits: more is noise, and makes a long diff. */
export function reportText(report: Report): string {
  const shorten = (_key: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
  return `${JSON.stringify(report, shorten, 2)}\n`;
}
