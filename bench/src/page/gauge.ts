import type { Figure } from "../benchmark.ts";
import { type Markup, markup } from "../markup/markup.ts";
import { isMet } from "../report/report.ts";

const WIDTH = 110;
const MIDDLE = WIDTH / 2;
/** By which factor a figure fills its half of the gauge. */
const FULL = 2;

/**
 * Distance of a figure from its target: the line in the middle is the target, a bar to the right is better, to the left
 * worse. Twice as good is as long as half as good, and fills its half.
 */
export function drawGauge(figure: Figure): Markup | undefined {
  const factor = betterThanTarget(figure);
  if (factor === undefined) return undefined;
  const share = Math.max(-1, Math.min(1, Math.log(factor) / Math.log(FULL)));
  // Just met is not nothing: it stays visible.
  const length = Math.max(4, Math.abs(share) * MIDDLE);
  const isGood = isMet(figure) === true;
  return markup`<svg class="gauge" viewBox="0 0 ${WIDTH} 14" aria-hidden="true"><rect class="track" x="0" y="5" width="${WIDTH}" height="4" rx="2"/><rect class="${isGood ? "met" : "missed"}" x="${isGood ? MIDDLE : MIDDLE - length}" y="4" width="${length}" height="6" rx="2"/><line class="target" x1="${MIDDLE}" x2="${MIDDLE}" y1="0" y2="14"/></svg>`;
}

/** The factor by which a figure is better than its target; undefined without one, or where it has no ratio. */
export function betterThanTarget({ value, target }: Figure): number | undefined {
  if (target === undefined || value < 0 || target.bound < 0) return undefined;
  if (value === target.bound) return 1;
  return target.comparison === "at least" ? value / target.bound : target.bound / value;
}
