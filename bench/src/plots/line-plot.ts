import type { Plot } from "../benchmark.ts";
import { type Markup, markup } from "../markup/markup.ts";
import { numberText } from "../report/figure-text.ts";
import { type Drawing, PLOT_WIDTH } from "./drawing.ts";
import { linearScale, logScale, type Scale, tightScale } from "./scale.ts";
import { textWidth } from "./text-width.ts";
import { tickText } from "./tick-text.ts";

const HEIGHT = 290;
const TOP = 26;
const BOTTOM = 44;
const RIGHT = 18;
/** From so many points on, marks would hide the line. */
const MANY_POINTS = 15;

type Point = Plot["series"][number]["points"][number];

interface Place {
  readonly x: number;
  readonly y: number;
  readonly point: Point;
}

/** Draws a line for each series, with a different mark for each where the points are few. */
export function drawLines(plot: Plot): Drawing {
  const points = plot.series.flatMap((series) => series.points);
  const ys = points.map(({ y }) => y);
  const y = plot.yScale === "log" ? logScale(ys) : linearScale(ys);
  const left = 10 + Math.max(...y.ticks.map((tick) => textWidth(tickText(tick))), 0);
  const inside = { left, width: PLOT_WIDTH - left - RIGHT, height: HEIGHT - TOP - BOTTOM };
  const x = horizontal(plot, points);
  const place = (point: Point): Place => ({
    point,
    x: inside.left + x.at(point.x) * inside.width,
    y: TOP + (1 - y.at(point.y)) * inside.height,
  });
  const lines = plot.series.map(({ name, points: own }, index) => drawLine(name, own.map(place), index));
  return {
    height: HEIGHT,
    content: markup`${drawUpAxis(y, inside, plot.yLabel)}${drawAlongAxis(x, inside, plot.xLabel)}${lines}`,
  };
}

interface Along {
  at(x: number | string): number;
  readonly ticks: readonly { readonly share: number; readonly text: string }[];
}

function horizontal({ xScale }: Plot, points: readonly Point[]): Along {
  const numbers = points.map(({ x }) => x).filter((x) => typeof x === "number");
  if (numbers.length < points.length) return categories([...new Set(points.map(({ x }) => String(x)))]);
  const scale = xScale === "log" ? logScale(numbers) : tightScale(numbers);
  return {
    at: (x) => scale.at(Number(x)),
    ticks: scale.ticks.map((tick) => ({ share: scale.at(tick), text: tickText(tick) })),
  };
}

function categories(names: readonly string[]): Along {
  const shareOf = (name: string) => (names.indexOf(name) + 0.5) / names.length;
  return {
    at: (x) => shareOf(String(x)),
    ticks: names.map((name) => ({ share: shareOf(name), text: name })),
  };
}

function drawLine(name: string, places: readonly Place[], index: number): Markup {
  const path = places
    .map(({ x, y }, at) => `${at === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join("");
  const marks = places.length >= MANY_POINTS ? [] : places;
  return markup`<g class="series-${index % 6}"><path class="line" d="${path}"/>${marks.map(
    ({ x, y, point }) =>
      markup`<g><title>${name}, ${typeof point.x === "number" ? numberText(point.x) : point.x}: ${numberText(point.y)}</title>${drawMark(index, x, y)}</g>`,
  )}</g>`;
}

/** A mark at a place. Series differ in shape as well as in colour, for those who can't tell the colours apart. */
export function drawMark(series: number, x: number, y: number): Markup {
  const at = (dx: number, dy: number) => `${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}`;
  switch (series % 4) {
    case 0:
      return markup`<circle class="mark" cx="${x}" cy="${y}" r="4"/>`;
    case 1:
      return markup`<rect class="mark" x="${x - 3.5}" y="${y - 3.5}" width="7" height="7"/>`;
    case 2:
      return markup`<path class="mark" d="M${at(0, -5)}L${at(5, 0)}L${at(0, 5)}L${at(-5, 0)}Z"/>`;
    default:
      return markup`<path class="mark" d="M${at(0, -5)}L${at(4.6, 3.6)}L${at(-4.6, 3.6)}Z"/>`;
  }
}

interface Inside {
  readonly left: number;
  readonly width: number;
  readonly height: number;
}

function drawUpAxis(scale: Scale, { left, width, height }: Inside, label: string): Markup {
  const ticks = scale.ticks.map((tick) => {
    const y = TOP + (1 - scale.at(tick)) * height;
    return markup`<line class="grid" x1="${left}" x2="${left + width}" y1="${y}" y2="${y}"/><text class="tick" x="${left - 6}" y="${y + 4}" text-anchor="end">${tickText(tick)}</text>`;
  });
  return markup`<text class="axis" x="0" y="12">${label}</text>${ticks}`;
}

function drawAlongAxis({ ticks }: Along, { left, width, height }: Inside, label: string): Markup {
  const bottom = TOP + height;
  const drawn = ticks.map(({ share, text }) => {
    const x = left + share * width;
    // A label at the very end would leave the drawing.
    const isLast = x + textWidth(text) / 2 > PLOT_WIDTH;
    return markup`<line class="grid" x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 4}"/><text class="tick" x="${isLast ? PLOT_WIDTH : x}" y="${bottom + 17}" text-anchor="${isLast ? "end" : "middle"}">${text}</text>`;
  });
  return markup`${drawn}<text class="axis" x="${left + width / 2}" y="${bottom + 36}" text-anchor="middle">${label}</text>`;
}
