import { changeText, comparisonText } from "./change-text.ts";
import type { Comparison } from "./compare-reports.ts";
import { metText, spreadText, targetText, valueText } from "./figure-text.ts";
import { judgeRun } from "./judge-run.ts";
import { describeSurroundings } from "./machine-text.ts";
import type { Report, Section } from "./report.ts";
import { summary } from "./report-as-text.ts";

/** The report as GitHub-flavoured Markdown, for a page, an issue or a job summary. */
export function reportAsMarkdown(report: Report, comparison: Comparison | undefined): string {
  return `${[
    `# Benchmarks, ${report.startedAt.slice(0, 10)}`,
    table(["where", ""], describeSurroundings(report)),
    ...(comparison === undefined ? [] : [comparisonText(comparison)]),
    summary(judgeRun(report, comparison))
      .map((line) => `- ${line}`)
      .join("\n"),
    ...report.benchmarks.flatMap((section) => sectionOf(section, comparison)),
  ].join("\n\n")}\n`;
}

function sectionOf(section: Section, comparison: Comparison | undefined): string[] {
  const { title, name, status, figures, skipped, error } = section;
  const rows = figures.map((figure) => [
    figure.name,
    figure.engine ?? "",
    `**${valueText(figure.value, figure.unit)}**`,
    figure.target === undefined ? "" : targetText(figure.target, figure.unit),
    metText(figure),
    changeText(comparison?.changes.find(({ id }) => id === figure.id)),
    [spreadText(figure), figure.note].filter((text) => text !== undefined).join(". "),
  ]);
  return [
    `## ${title}`,
    `\`npx -y pnpm@12 bench ${name}\`${status === "done" ? "" : `: ${status}`}`,
    ...(rows.length === 0
      ? []
      : [table(["figure", "engine", "value", "target", "", "since baseline", "samples, notes"], rows)]),
    ...(error === undefined ? [] : [`\`\`\`\n${error}\n\`\`\``]),
    ...skipped.map((reason) => `Skipped: ${reason}`),
  ];
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(titles), line(titles.map(() => "---")), ...rows.map(line)].join("\n");
}

function cell(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
}
