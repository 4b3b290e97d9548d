import { duration } from "@synap/cli/terminal/numbers.ts";
import type { Figure } from "../benchmark.ts";
import { type Markup, type MarkupPart, markup } from "../markup/markup.ts";
import { drawPlot } from "../plots/draw-plot.ts";
import { comparisonText } from "../report/change-text.ts";
import type { Comparison } from "../report/compare-reports.ts";
import { judgeRun, type RunJudgement } from "../report/judge-run.ts";
import { describeSurroundings } from "../report/machine-text.ts";
import { figuresOf, isMet, type Report, type Section } from "../report/report.ts";
import { figureTable } from "./figure-table.ts";
import { style } from "./style.ts";

/** The report as one HTML page that needs nothing beside it: no script, no font, no picture from elsewhere. */
export function reportAsPage(report: Report, comparison: Comparison | undefined): string {
  const judgement = judgeRun(report, comparison);
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Synap benchmarks, ${report.startedAt.slice(0, 10)}</title>
<style>${style}</style>
</head>
<body>
${pageTop(report, judgement)}
<main>
${notices(report, comparison, judgement)}
${targets(report, comparison)}
${report.benchmarks.map((section) => sectionOf(section, comparison))}
${surroundings(report, comparison)}
</main>
<footer>Repeat it: <code>npx -y pnpm@12 ${report.mode === "quick" ? "bench:quick" : "bench"}</code>. Each value is the median of its samples, or the percentile in its name. A × is a ratio of two measurements of this run.</footer>
</body>
</html>
`;
  return page.source;
}

function pageTop(report: Report, judgement: RunJudgement): Markup {
  const { machine, startedAt, commit } = report;
  const { met, missed, regressions, improvements } = judgement;
  const engines = report.engines.map(({ engine }) => engine).join(" and ");
  return markup`<header class="top"><h1>Synap, measured</h1><p class="quiet">${startedAt.slice(0, 10)} · ${machine.cpu}, ${String(machine.cores)} cores · ${engines} engine${
    report.engines.length > 1 ? "s" : ""
  }${commit === undefined ? "" : ` · commit ${commit.id.slice(0, 10)}`} · ${report.mode} run</p>
<div class="tiles">${[
    tile(`${met} of ${met + missed}`, "targets met", missed === 0 ? "good" : undefined),
    tile(String(regressions.length), "regressions", regressions.length === 0 ? undefined : "bad"),
    tile(String(improvements.length), "improvements", improvements.length === 0 ? undefined : "good"),
    tile(String(figuresOf(report).length), `figures in ${duration(report.tookMs)}`),
  ]}</div><nav>${report.benchmarks.map(({ name, title }) => markup`<a href="#benchmark-${name}">${title}</a>`)}<a href="#machine">The machine</a></nav></header>`;
}

function tile(value: string, name: string, tone?: "good" | "bad"): Markup {
  return markup`<div class="tile"><b class="number ${tone}">${value}</b><span>${name}</span></div>`;
}

function notices(report: Report, comparison: Comparison | undefined, judgement: RunJudgement): MarkupPart {
  const names = new Map(
    figuresOf(report).map(({ id, name, engine }) => [id, engine ? `${name} (${engine})` : name]),
  );
  const links = (ids: readonly string[]) =>
    ids.map((id) => markup`<li><a href="#${id}">${names.get(id) ?? id}</a></li>`);
  const list = (tone: string, title: string, items: readonly Markup[]) =>
    items.length === 0
      ? undefined
      : markup`<div class="notice ${tone}"><strong>${title}</strong><ul>${items}</ul></div>`;
  const plain = (texts: readonly string[]) => texts.map((text) => markup`<li>${text}</li>`);
  return [
    judgement.isInterrupted
      ? markup`<div class="notice bad-notice">This run was interrupted. The page holds what was measured by then.</div>`
      : undefined,
    list("bad-notice", "Failed", plain(judgement.failed)),
    list("bad-notice", "Promises broken", links(judgement.broken)),
    list("bad-notice", "Worse than the baseline", links(judgement.regressions)),
    list("good-notice", "Better than the baseline", links(judgement.improvements)),
    list(
      "",
      "In the baseline but no longer measured",
      plain(comparison?.missing.map(({ name }) => name) ?? []),
    ),
  ];
}

function targets(report: Report, comparison: Comparison | undefined): Markup | undefined {
  const missed = figuresOf(report).filter((figure) => isMet(figure) === false);
  const met = figuresOf(report).filter((figure) => isMet(figure) === true);
  if (missed.length + met.length === 0) return undefined;
  const overview = (figures: readonly Figure[]) => figureTable(figures, comparison, { isOverview: true });
  return markup`<section id="targets"><header><h2>Targets</h2><p class="quiet">The line in the middle of a gauge is the target; to its right is better, and a full half is twice as good, or half as good.</p></header>${
    missed.length === 0 ? undefined : markup`<h3>Missed: ${String(missed.length)}</h3>${overview(missed)}`
  }${
    met.length === 0
      ? undefined
      : markup`<details ${missed.length === 0 ? markup`open` : undefined}><summary>Met: ${String(met.length)}</summary>${overview(met)}</details>`
  }</section>`;
}

function sectionOf(section: Section, comparison: Comparison | undefined): Markup {
  const { name, title, status, tookMs, figures, plots, skipped, error } = section;
  const state = status === "done" ? duration(tookMs) : status;
  return markup`<section id="benchmark-${name}"><header><h2>${title}</h2><p class="quiet"><code>npx -y pnpm@12 bench ${name}</code> · ${state}</p></header>
${error === undefined ? undefined : markup`<div class="notice bad-notice"><strong>It failed</strong><pre>${error}</pre></div>`}
${plots.length === 0 ? undefined : markup`<div class="plots">${plots.map(drawPlot)}</div>`}
${figures.length === 0 ? undefined : figureTable(figures, comparison)}
${skipped.map((reason) => markup`<div class="notice">Not measured: ${reason}</div>`)}</section>`;
}

function surroundings(report: Report, comparison: Comparison | undefined): Markup {
  return markup`<section id="machine"><header><h2>Where it was measured</h2></header><dl>${describeSurroundings(
    report,
  ).map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>${
    comparison === undefined
      ? undefined
      : markup`<p class="quiet" style="margin-top:16px">${comparisonText(comparison)}</p>`
  }</section>`;
}
