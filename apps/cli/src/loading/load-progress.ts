import { count, counted } from "@synap/types/internal";
import { duration } from "../terminal/numbers.ts";
import type { ProgressLine } from "../terminal/progress-line.ts";
import type { LoadProgress } from "./load-file.ts";

/** Shows a load on a progress line: events, rate and remaining time. Create one for each run, which it measures. */
export class LoadProgressLine {
  readonly #line: ProgressLine;
  readonly #clock: () => number;
  #from: { at: number; lines: number; bytes: number } | undefined;

  constructor(line: ProgressLine, clock: () => number = () => performance.now()) {
    this.#line = line;
    this.#clock = clock;
  }

  /** Start of this run, for the rate. The share is that of the whole file. */
  begin(lines: number, bytes: number): void {
    this.#from = { at: this.#clock(), lines, bytes };
  }

  /** Shows the progress, unless the last was shown a moment ago. Returns true if it is shown. */
  show(progress: LoadProgress, options: { always?: boolean } = {}): boolean {
    this.#from ??= { at: this.#clock(), lines: 0, bytes: 0 };
    const ms = Math.max(1, this.#clock() - this.#from.at);
    const rate = ((progress.lines - this.#from.lines) / ms) * 1000;
    const { totalBytes, bytes } = progress;
    const speed = (bytes - this.#from.bytes) / ms;
    const left = totalBytes === undefined || speed <= 0 ? undefined : (totalBytes - bytes) / speed;
    const parts = [`${counted(progress.lines, "line")}`, `${count(rate)}/s`];
    if (progress.counts.rejected > 0) parts.push(`${count(progress.counts.rejected)} rejected`);
    if (left !== undefined && left > 0) parts.push(`${duration(left)} left`);
    return this.#line.show(totalBytes ? bytes / totalBytes : undefined, parts.join(" · "), options);
  }
}
