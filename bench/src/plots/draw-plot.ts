import type { Plot } from "../benchmark.ts";
import { type Markup, markup } from "../markup/markup.ts";
import { drawBars } from "./bar-plot.ts";
import { type Drawing, PLOT_WIDTH } from "./drawing.ts";
import { drawLines, drawMark } from "./line-plot.ts";
import { plotStyle } from "./plot-style.ts";
import { textWidth, wrapText } from "./text-width.ts";

/** Draws a plot with its title and its legend, as an HTML figure. The page has the style: see page/style.ts. */
export function drawPlot(plot: Plot): Markup {
  const { height, content } = draw(plot);
  return markup`<figure><figcaption>${plot.title}${drawLegend(plot)}</figcaption><svg class="plot" viewBox="0 0 ${PLOT_WIDTH} ${height}" role="img"><title>${plot.title}</title>${content}</svg></figure>`;
}

const MARGIN = 16;
const LINE = 18;

/** Draws a plot with its title, its legend and its style, as an SVG file that needs nothing else. */
export function drawPlotFile(plot: Plot): string {
  const { height, content } = draw(plot);
  const lines = wrapText(plot.title, PLOT_WIDTH).map(
    (line, index) => markup`<text class="title" x="0" y="${14 + index * LINE}">${line}</text>`,
  );
  const legendTop = 14 + lines.length * LINE;
  const legend = plot.series.length < 2 ? [] : placeLegend(plot.series.map(({ name }) => name));
  const entries = legend.map(
    ({ name, x, line }, index) =>
      markup`<g class="series-${index % 6}" transform="translate(${x} ${legendTop + line * LINE})">${drawKey(plot, index, 7, -4)}<text class="key" x="20" y="0">${name}</text></g>`,
  );
  const top = legendTop + ((legend.at(-1)?.line ?? -1) + 1) * LINE;
  const [outerWidth, outerHeight] = [PLOT_WIDTH + 2 * MARGIN, top + height + 2 * MARGIN];
  const file = markup`<svg xmlns="http://www.w3.org/2000/svg" width="${outerWidth}" height="${outerHeight}" viewBox="0 0 ${outerWidth} ${outerHeight}" role="img"><title>${plot.title}</title><style>${plotStyle}</style><rect class="background" width="${outerWidth}" height="${outerHeight}" rx="8"/><g transform="translate(${MARGIN} ${MARGIN})">${lines}${entries}<g transform="translate(0 ${top})">${content}</g></g></svg>`;
  return `${file.source}\n`;
}

function draw(plot: Plot): Drawing {
  return plot.kind === "bars" ? drawBars(plot) : drawLines(plot);
}

function drawLegend(plot: Plot): Markup | undefined {
  if (plot.series.length < 2) return undefined;
  const entries = plot.series.map(
    ({ name }, index) =>
      markup`<li class="series-${index % 6}"><svg viewBox="0 0 14 14" aria-hidden="true">${drawKey(plot, index, 7, 7)}</svg>${name}</li>`,
  );
  return markup`<ul class="legend">${entries}</ul>`;
}

function drawKey({ kind }: Plot, index: number, x: number, y: number): Markup {
  return kind === "bars"
    ? markup`<rect class="fill" x="${x - 6}" y="${y - 6}" width="12" height="12" rx="2"/>`
    : drawMark(index, x, y);
}

/** Places the entries of a legend one after the other, in as many lines as they need. */
function placeLegend(names: readonly string[]): { name: string; x: number; line: number }[] {
  let x = 0;
  let line = 0;
  return names.map((name) => {
    const width = 20 + textWidth(name);
    if (x > 0 && x + width > PLOT_WIDTH) [x, line] = [0, line + 1];
    const entry = { name, x, line };
    x += width + 10;
    return entry;
  });
}
