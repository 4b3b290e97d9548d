import type { Engine } from "@synap/database";
import type { BenchContext, Benchmark, BenchmarkResult } from "../benchmark.ts";
import { appendCurves } from "./append-curves.ts";
import { type CurveContext, curveFigures, curvePlots } from "./curve.ts";
import { logCurves } from "./log-curves.ts";
import { readerCurves } from "./reader-curves.ts";

const ROUNDS: Record<BenchContext["mode"], number> = { full: 5, quick: 2 };

/** Cost against one quantity at a time: events, chunks, streams, callers, bytes, projections, subscribers. */
export const growth: Benchmark = {
  name: "growth",
  title: "Cost against the size and the shape of the load",
  async run(context): Promise<BenchmarkResult> {
    const engine: Engine = context.serverUrl === undefined ? "embedded" : "server";
    const parts = [logCurves, appendCurves, readerCurves];
    const results: BenchmarkResult[] = [];
    for (const [index, measure] of parts.entries()) {
      const curveContext: CurveContext = {
        ...context,
        engine,
        rounds: ROUNDS[context.mode],
        onProgress: (text, share) => context.onProgress(`${engine}: ${text}`, (index + share) / parts.length),
      };
      const curves = await measure(curveContext);
      results.push({
        figures: curves.flatMap((curve) => curveFigures(engine, curve)),
        plots: curves.flatMap((curve) => curvePlots(engine, curve)),
      });
    }
    return {
      figures: results.flatMap(({ figures }) => figures),
      plots: results.flatMap(({ plots }) => plots ?? []),
    };
  },
};
