import type { Plot } from "../benchmark.ts";
import { type Markup, markup } from "../markup/markup.ts";
import { drawBars } from "./bar-plot.ts";
import { drawLines, drawMark } from "./line-plot.ts";

/** A plot with its title and its legend, as an HTML figure. The colours are the page's: see page/style.ts. */
export function drawPlot(plot: Plot): Markup {
  return markup`<figure><figcaption>${plot.title}${drawLegend(plot)}</figcaption>${
    plot.kind === "bars" ? drawBars(plot) : drawLines(plot)
  }</figure>`;
}

function drawLegend({ kind, series }: Plot): Markup | undefined {
  if (series.length < 2) return undefined;
  const entries = series.map(
    ({ name }, index) =>
      markup`<li class="series-${index % 6}"><svg viewBox="0 0 14 14" aria-hidden="true">${
        kind === "bars"
          ? markup`<rect class="fill" x="1" y="1" width="12" height="12" rx="2"/>`
          : drawMark(index, 7, 7)
      }</svg>${name}</li>`,
  );
  return markup`<ul class="legend">${entries}</ul>`;
}
