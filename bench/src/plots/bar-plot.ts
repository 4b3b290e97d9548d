import type { Plot } from "../benchmark.ts";
import { type Markup, markup } from "../markup/markup.ts";
import { numberText } from "../report/figure-text.ts";
import { type Drawing, PLOT_WIDTH } from "./drawing.ts";
import { linearScale, logScale, type Scale } from "./scale.ts";
import { textWidth, wrapText } from "./text-width.ts";
import { tickText } from "./tick-text.ts";

const BAR = 16;
const GAP = 3;
const LABEL_LINE = 16;
const GROUP_GAP = 14;
const AXIS = 40;
const LEFT = 2;
const RIGHT = 14;

interface Bar {
  readonly series: number;
  readonly name: string;
  readonly value: number;
}

/**
 * Draws groups of bars, one bar for each series. They lie, so that the groups' names, which are half sentences, can be
 * read on a phone, too.
 */
export function drawBars(plot: Plot): Drawing {
  const groups = groupsOf(plot);
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value));
  const scale = plot.yScale === "log" ? logScale(values) : linearScale(values);
  const width = PLOT_WIDTH - LEFT - RIGHT;
  let y = plot.xLabel === "" ? 0 : 22;
  const gridTop = y;
  const drawn = groups.map(({ label, bars }) => {
    const lines = wrapText(label, width);
    const top = y;
    const barsTop = top + lines.length * LABEL_LINE + 2;
    y = barsTop + bars.length * (BAR + GAP) + GROUP_GAP;
    return markup`<g>${lines.map(
      (line, index) =>
        markup`<text class="label" x="${LEFT}" y="${top + 12 + index * LABEL_LINE}">${line}</text>`,
    )}${bars.map((bar, index) => drawBar(bar, barsTop + index * (BAR + GAP), width, scale, label))}</g>`;
  });
  const bottom = y - GROUP_GAP + 6;
  // Labels stand on the grid's lines, so the grid comes first.
  const grid = drawValueAxis(scale, width, gridTop, bottom, plot.yLabel);
  return {
    height: bottom + AXIS,
    content: markup`${grid}<text class="axis" x="${LEFT}" y="12">${plot.xLabel}</text>${drawn}`,
  };
}

function groupsOf({ series }: Plot): { label: string; bars: Bar[] }[] {
  const groups = new Map<string, Bar[]>();
  for (const [index, { name, points }] of series.entries()) {
    for (const { x, y } of points) {
      const label = typeof x === "number" ? numberText(x) : x;
      const bars = groups.get(label) ?? [];
      groups.set(label, [...bars, { series: index, name, value: y }]);
    }
  }
  return [...groups].map(([label, bars]) => ({ label, bars }));
}

function drawBar(bar: Bar, y: number, width: number, scale: Scale, label: string): Markup {
  const length = Math.max(1, scale.at(bar.value) * width);
  const value = numberText(bar.value);
  // Beside the bar while there is room, otherwise at its end.
  const isInside = length + textWidth(value) + 10 > width;
  const x = LEFT + length + (isInside ? -6 : 6);
  const text = markup`<text class="value ${isInside ? "inside" : ""}" x="${x}" y="${y + 12}" text-anchor="${
    isInside ? "end" : "start"
  }">${value}</text>`;
  return markup`<g class="series-${bar.series % 6}"><title>${label}, ${bar.name}: ${value}</title><rect class="fill" x="${LEFT}" y="${y}" width="${length}" height="${BAR}" rx="2"/>${text}</g>`;
}

function drawValueAxis(scale: Scale, width: number, top: number, bottom: number, label: string): Markup {
  const ticks = scale.ticks.map((tick) => {
    const share = scale.at(tick);
    const x = LEFT + share * width;
    // At the ends a label in the middle of its line would leave the drawing.
    const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
    const end = share === 1 ? x + RIGHT : x;
    return markup`<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/><text class="tick" x="${end}" y="${bottom + 15}" text-anchor="${anchor}">${tickText(tick)}</text>`;
  });
  return markup`${ticks}<text class="axis" x="${LEFT + width / 2}" y="${bottom + 33}" text-anchor="middle">${label}</text>`;
}
