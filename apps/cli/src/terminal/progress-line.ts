/** Standard error, where progress lines are drawn, so that standard output holds only the result. */
export interface ProgressTarget {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
const PLAIN_MS = 2_000;

/**
 * A line that shows progress: redrawn in place on a terminal, otherwise (a log, a pipe) a plain line
 * every two seconds.
 */
export class ProgressLine {
  readonly #target: ProgressTarget;
  readonly #clock: () => number;
  #drawnAt = 0;
  #drawn = false;

  constructor(target: ProgressTarget = process.stderr, clock: () => number = () => performance.now()) {
    this.#target = target;
    this.#clock = clock;
  }

  /**
   * Shows the progress, unless the last was shown a moment ago. Returns true if it is shown.
   *
   * @param share between 0 and 1; undefined if the end is unknown
   * @param text text next to the bar
   */
  show(share: number | undefined, text: string, options: { always?: boolean } = {}): boolean {
    const now = this.#clock();
    const pause = this.#target.isTTY ? REDRAW_MS : PLAIN_MS;
    if (options.always !== true && this.#drawnAt > 0 && now - this.#drawnAt < pause) return false;
    this.#drawnAt = now;
    if (!this.#target.isTTY) {
      this.#target.write(`${share === undefined ? "" : `${percent(share)} `}${text}\n`);
      return true;
    }
    const line = share === undefined ? text : `${bar(share, 24)} ${percent(share)} ${text}`;
    this.#target.write(`\r\u001b[2K${line.slice(0, (this.#target.columns ?? 120) - 1)}`);
    this.#drawn = true;
    return true;
  }

  /** Keeps the last drawing and moves to the next line. */
  end(): void {
    if (this.#drawn) this.#target.write("\n");
    this.#drawn = false;
  }

  /** Prints a line above the progress line. */
  say(text: string): void {
    if (this.#drawn) this.#target.write("\r\u001b[2K");
    this.#drawn = false;
    this.#target.write(`${text}\n`);
  }
}

/** A bar of `width` characters, filled to a share between 0 and 1. */
export function bar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return "█".repeat(filled) + "░".repeat(width - filled);
}

function percent(share: number): string {
  return `${String(Math.floor(Math.min(1, share) * 100)).padStart(3)} %`;
}
