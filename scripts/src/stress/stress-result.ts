import type { ReaderFindings } from "./examine-readers.ts";
import type { StoreFindings, WriterTotals } from "./examine-store.ts";

/** Counts and findings of a run. */
export interface StressResult {
  readonly engine: {
    readonly engine: string;
    readonly postgresql: string;
    readonly timescaledb: string;
    readonly edition: string;
  };
  readonly seconds: number;
  readonly seed: number;
  /** Events in the store. */
  readonly appended: number;
  readonly writers: WriterTotals & { readonly count: number };
  /** Processes killed with kill -9 and started again. Everybody: an embedded database's one process. */
  readonly kills: { readonly writers: number; readonly readers: number; readonly everybody: number };
  readonly readers: readonly (ReaderFindings & { readonly name: string; readonly restarts: number })[];
  readonly store: StoreFindings;
}

/** Number of findings. A run in which nothing was appended proves nothing and counts as one. */
export function countFaults({ appended, readers, store }: StressResult): number {
  const faults = readers.flatMap((reader) => [
    reader.lost,
    reader.repeated,
    reader.outOfOrder,
    reader.versionsOutOfOrder,
    reader.unknown,
  ]);
  const all = [...faults, ...Object.values(store)];
  return all.reduce<number>((sum, each) => sum + each, appended === 0 ? 1 : 0);
}
