/** Brings values onto an axis. */
export interface Scale {
  /** Place of a value on the axis: 0 at its start, 1 at its end. */
  at(value: number): number;
  /** Places of gridlines and labels: round values within the axis, ascending. */
  readonly ticks: readonly number[];
}

/** Nothing that is measured is smaller or larger, and further out the digits of a number come to an end. */
const SMALLEST = 1e-12;
const LARGEST = 1e30;
/** Share of an axis that may lie beyond the values, for a round end. */
const NEAR = 0.08;

/** An axis from 0 (or the smallest value below it) to a round value at or above the largest. */
export function linearScale(values: readonly number[], atMostTicks = 6): Scale {
  const least = Math.min(0, ...values);
  const most = Math.max(0, ...values);
  return roundScale(least, most - least < SMALLEST ? least + 1 : most, atMostTicks);
}

/**
 * An axis about the values alone, for what has no natural zero: a moment, a size of a batch. It ends at a round value
 * where one is near.
 */
export function tightScale(values: readonly number[], atMostTicks = 6): Scale {
  const least = Math.min(...values);
  const most = Math.max(...values);
  if (!(most - least >= SMALLEST)) return linearScale(values, atMostTicks);
  const step = roundUp((most - least) / atMostTicks);
  const near = (round: number, value: number) =>
    Math.abs(round - value) <= NEAR * (most - least) ? round : value;
  const start = near(Math.floor(least / step) * step, least);
  const end = near(Math.ceil(most / step) * step, most);
  return scaleOf(start, end, multiples(start, end, step), (value) => value);
}

/**
 * An axis of powers: each decade is as wide as the next. It begins and ends at powers of ten, but not far from the
 * values: at a 2 or a 5 where they come before. Values of 0 and below, or next to nothing, have no place on it and lie
 * at its start.
 */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value >= SMALLEST && value <= LARGEST);
  if (positive.length === 0) return logScale([1, 10]);
  const least = roundDown(Math.min(...positive));
  const most = roundUp(Math.max(...positive));
  if (least === most) return logScale([least / 2, most * 2]);
  const marks = marksBetween(least, most);
  const powers = marks.filter(isPowerOfTen);
  const { log10 } = Math;
  const scale = scaleOf(log10(least), log10(most), powers.length >= 3 ? powers : marks, log10);
  return { ...scale, at: (value) => (value > 0 ? scale.at(value) : 0) };
}

function roundScale(least: number, most: number, atMostTicks: number): Scale {
  const step = roundUp((most - least) / (atMostTicks - 1));
  const [start, end] = [Math.floor(least / step) * step, Math.ceil(most / step - 1e-9) * step];
  return scaleOf(start, end, multiples(start, end, step), (value) => value);
}

function scaleOf(
  start: number,
  end: number,
  ticks: readonly number[],
  place: (value: number) => number,
): Scale {
  return { ticks, at: (value) => Math.min(1, Math.max(0, (place(value) - start) / (end - start))) };
}

function multiples(start: number, end: number, step: number): number[] {
  const first = Math.ceil(start / step - 1e-9);
  const last = Math.floor(end / step + 1e-9);
  // Not by adding up: 0.1 + 0.2 would be labelled 0.30000000000000004.
  return Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(15)),
  );
}

const MARKS = [1, 2, 5, 10];

/** The smallest of 1, 2, 5, 10, 20 ... (and 0.5, 0.2 ...) that is at least so much. */
function roundUp(value: number): number {
  const power = powerBelow(value);
  return exact((MARKS.find((mark) => mark * power >= value * (1 - 1e-9)) ?? 10) * power);
}

function roundDown(value: number): number {
  const power = powerBelow(value);
  return exact((MARKS.findLast((mark) => mark * power <= value * (1 + 1e-9)) ?? 1) * power);
}

function marksBetween(least: number, most: number): number[] {
  const first = Math.round(Math.log10(powerBelow(least)));
  const last = Math.round(Math.log10(powerBelow(most)));
  return Array.from({ length: last - first + 1 }, (_, index) =>
    [1, 2, 5].map((mark) => exact(mark * 10 ** (first + index))),
  )
    .flat()
    .filter((mark) => mark >= least && mark <= most);
}

function powerBelow(value: number): number {
  return exact(10 ** Math.floor(Math.log10(value) + 1e-9));
}

function isPowerOfTen(value: number): boolean {
  return powerBelow(value) === value;
}

function exact(value: number): number {
  return Number(value.toPrecision(12));
}
