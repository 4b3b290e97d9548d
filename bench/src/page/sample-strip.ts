import type { Figure } from "../benchmark.ts";
import { type Markup, markup } from "../markup/markup.ts";

const WIDTH = 84;
const INSET = 5;
/** More dots than this make a bar of ink. */
const MOST_DOTS = 60;

/** Every sample as a dot between the smallest and the largest, with the figure's value as a line. */
export function drawSampleStrip({ samples, value }: Figure): Markup | undefined {
  if (samples === undefined || samples.length < 2 || samples.length > MOST_DOTS) return undefined;
  const [least, most] = [Math.min(value, ...samples), Math.max(value, ...samples)];
  if (least === most) return undefined;
  const at = (sample: number) => INSET + ((sample - least) / (most - least)) * (WIDTH - 2 * INSET);
  return markup`<svg class="strip" viewBox="0 0 ${WIDTH} 14" aria-hidden="true"><line x1="0" x2="${WIDTH}" y1="7" y2="7"/>${samples.map(
    (sample) => markup`<circle cx="${at(sample)}" cy="7" r="3.5"/>`,
  )}<line class="median" x1="${at(value)}" x2="${at(value)}" y1="1" y2="13"/></svg>`;
}
