import type { Benchmark } from "./benchmark.ts";

/** Everything that is measured, in the order of a full run. */
export const benchmarks: readonly Benchmark[] = [];
