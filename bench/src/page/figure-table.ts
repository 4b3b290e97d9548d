import type { Figure } from "../benchmark.ts";
import { type Markup, markup } from "../markup/markup.ts";
import { changeText } from "../report/change-text.ts";
import type { Change, Comparison } from "../report/compare-reports.ts";
import { metText, rangeText, targetText, valueText } from "../report/figure-text.ts";
import { drawGauge } from "./gauge.ts";
import { drawSampleStrip } from "./sample-strip.ts";

/**
 * The figures as a table; on a phone each row becomes a small card. Every figure can be linked to by its id, but in an
 * overview, which leads there and leaves the notes out.
 */
export function figureTable(
  figures: readonly Figure[],
  comparison: Comparison | undefined,
  { isOverview = false }: { readonly isOverview?: boolean } = {},
): Markup {
  const changes = new Map(comparison?.changes.map((change) => [change.id, change]));
  return markup`<table><thead><tr><th scope="col">figure</th><th scope="col">value</th><th scope="col">target</th><th scope="col">samples</th><th scope="col">${
    comparison === undefined ? "" : "since baseline"
  }</th></tr></thead><tbody>${figures.map((figure) => row(figure, changes.get(figure.id), isOverview))}</tbody></table>`;
}

function row(figure: Figure, change: Change | undefined, isOverview: boolean): Markup {
  const { id, name, note, value, unit } = figure;
  const head = isOverview
    ? markup`<tr><td class="name"><a href="#${id}">${name}</a> ${engineChip(figure)}`
    : markup`<tr id="${id}"><td class="name">${name} ${engineChip(figure)}${note && markup`<span class="note">${note}</span>`}`;
  return markup`${head}</td><td class="value">${valueText(value, unit)}</td><td class="small">${targetCell(figure)}</td><td class="small">${samplesCell(figure)}</td><td class="small">${changeCell(change)}</td></tr>`;
}

function engineChip({ engine }: Figure): Markup | undefined {
  return engine === undefined ? undefined : markup`<span class="chip engine">${engine}</span>`;
}

/** The target, whether it is met, and by how much. */
function targetCell(figure: Figure): Markup | undefined {
  if (figure.target === undefined) return undefined;
  const met = metText(figure);
  return markup`<span>${targetText(figure.target, figure.unit)}</span> <span class="chip ${met.toLowerCase()}">${met}</span>${drawGauge(figure)}`;
}

function samplesCell(figure: Figure): Markup | undefined {
  const range = rangeText(figure);
  if (range === undefined) return undefined;
  const count = `${figure.samples?.length} samples`;
  return markup`<span class="range">${range}</span><div class="strip-line">${drawSampleStrip(figure)}${count}</div>`;
}

function changeCell(change: Change | undefined): Markup | undefined {
  if (change === undefined) return undefined;
  const why = change.reason === undefined ? change.verdict : `${change.verdict}: ${change.reason}`;
  return markup`<span class="chip ${change.verdict.replace(" ", "-")}" title="${why}">${changeText(change)}</span>`;
}
