import type { Engine } from "@synap/database";

/** Thoroughness of a run: "full" for the committed figures, "quick" for CI and for a look while changing code. */
export type BenchMode = "full" | "quick";

/** Target of a figure. "at least" and "at most" include the bound. */
export interface Target {
  readonly comparison: "at least" | "at most";
  readonly bound: number;
}

/** One measured number, with what it was derived from. */
export interface Figure {
  /** Unique in a report and stable over time: results are compared by it, for example "append.server.1-connection.ratio". */
  readonly id: string;
  /** Title for people, for example "appendBatch of 1,000, 1 connection, against a bare insert". */
  readonly name: string;
  /** Undefined where no engine takes part, or where it is not ours to name. */
  readonly engine?: Engine | undefined;
  /** The median, or the percentile in the name. */
  readonly value: number;
  /** For example "events/s", "requests/s", "ms", "ratio", "bytes/event", "events". */
  readonly unit: string;
  readonly better: "higher" | "lower";
  /** One value for each repetition, in order. At least five where `value` is their median. */
  readonly samples?: readonly number[] | undefined;
  readonly target?: Target | undefined;
  /** Anything without which the figure would mislead. */
  readonly note?: string | undefined;
}

/** A line or a bar drawing of some of the figures. */
export interface Plot {
  readonly title: string;
  readonly kind: "bars" | "lines";
  readonly xLabel: string;
  readonly yLabel: string;
  /** "log" for an axis that spans powers of ten. Default "linear". */
  readonly xScale?: "linear" | "log" | undefined;
  readonly yScale?: "linear" | "log" | undefined;
  /** For bars, x is the label of the bar's group. */
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number | string; readonly y: number }[];
  }[];
}

/** Result of one benchmark. */
export interface BenchmarkResult {
  readonly figures: readonly Figure[];
  readonly plots?: readonly Plot[] | undefined;
  /** Measurements that were not possible, with reasons; shown in the report. */
  readonly skipped?: readonly string[] | undefined;
}

/** Context of a benchmark. */
export interface BenchContext {
  readonly mode: BenchMode;
  /** A TimescaleDB server on which databases may be created; undefined: only the embedded engine is measured. */
  readonly serverUrl: string | undefined;
  /** A real Inngest server, from INNGEST_BASE_URL. */
  readonly inngestUrl: string | undefined;
  /** Reports the progress of the benchmark; `share` from 0 to 1. */
  readonly onProgress: (text: string, share: number) => void;
  /** Aborted when the run is interrupted: stop soon, and clean up. */
  readonly signal: AbortSignal;
}

/** Something that is measured. It makes what it needs (databases, processes) and removes it, also when it fails. */
export interface Benchmark {
  /** By which it is chosen on the command line, for example "append". */
  readonly name: string;
  readonly title: string;
  run(context: BenchContext): Promise<BenchmarkResult>;
}
