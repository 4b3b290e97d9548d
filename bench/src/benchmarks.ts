import type { Benchmark } from "./benchmark.ts";
import { lag } from "./lag/lag.ts";
import { overload } from "./overload/overload.ts";
import { pipeline } from "./pipeline/pipeline.ts";

/** Everything that is measured, in the order of a full run. */
export const benchmarks: readonly Benchmark[] = [pipeline, lag, overload];
