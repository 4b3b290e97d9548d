import type { Markup } from "../markup/markup.ts";

/** Width of every plot in its own units; whatever shows it stretches it to the space there is. */
export const PLOT_WIDTH = 460;

/** The axes and the values of a plot, {@link PLOT_WIDTH} wide, as the content of an SVG element. */
export interface Drawing {
  readonly height: number;
  readonly content: Markup;
}
