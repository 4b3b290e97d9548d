import { median } from "@synap/cli/terminal/numbers.ts";
import type { Engine } from "@synap/database";
import type { BenchContext, Figure, Plot } from "../benchmark.ts";

/** A rate or a duration, measured several times at one point of a curve. */
export interface Measurement {
  /** Part of the figure's id. */
  readonly id: string;
  readonly name: string;
  readonly unit: "events/s" | "ms";
  readonly samples: readonly number[];
}

/** The measurements at one value of the quantity that grows. */
export interface CurvePoint {
  readonly x: number;
  readonly measurements: readonly Measurement[];
}

/** Cost against one quantity that grows, everything else being equal. */
export interface Curve {
  /** Part of the figures' ids. */
  readonly id: string;
  /** The quantity, for example "events in the log". */
  readonly quantity: string;
  readonly points: readonly CurvePoint[];
}

/** Context of the measurement of a curve. */
export interface CurveContext extends Pick<BenchContext, "mode" | "signal"> {
  readonly engine: Engine;
  /** Undefined for the embedded engine. */
  readonly serverUrl: string | undefined;
  /** Number of times that something is measured at a point. */
  readonly rounds: number;
  readonly onProgress: (text: string, share: number) => void;
}

/** Measures at one value after the other. An interrupted run keeps the points before. */
export async function measureCurve(
  curve: Omit<Curve, "points">,
  values: readonly number[],
  { signal, onProgress }: CurveContext,
  measure: (x: number) => Promise<readonly Measurement[]>,
): Promise<Curve> {
  const points: CurvePoint[] = [];
  for (const [index, x] of values.entries()) {
    signal.throwIfAborted();
    onProgress(`${curve.quantity}: ${x.toLocaleString("en")}`, index / values.length);
    points.push({ x, measurements: await measure(x) });
  }
  return { ...curve, points };
}

/** A figure for each measurement of each point. */
export function curveFigures(engine: Engine, { id, quantity, points }: Curve): Figure[] {
  return points.flatMap(({ x, measurements }) =>
    measurements.map(
      (measurement): Figure => ({
        id: `growth.${engine}.${id}.${x}.${measurement.id}`,
        name: `${measurement.name}; ${quantity}: ${x.toLocaleString("en")}`,
        engine,
        value: median(measurement.samples),
        unit: measurement.unit,
        better: measurement.unit === "ms" ? "lower" : "higher",
        samples: measurement.samples,
      }),
    ),
  );
}

/** A drawing of the rates, and one of the durations. */
export function curvePlots(engine: Engine, { quantity, points }: Curve): Plot[] {
  return (["events/s", "ms"] as const).flatMap((unit): Plot[] => {
    const all = points.flatMap(({ measurements }) => measurements).filter((each) => each.unit === unit);
    const names = [...new Set(all.map(({ name }) => name))];
    if (names.length === 0 || points.length < 2) return [];
    return [
      {
        title: `${plotSubject(unit, names)} against ${quantity}, ${engine}`,
        kind: "lines",
        xLabel: quantity,
        yLabel: unit === "ms" ? "ms, p50" : unit,
        xScale: points.some(({ x }) => x === 0) ? "linear" : "log",
        yScale: "log",
        series: names.map((name) => ({
          name,
          points: points.flatMap(({ x, measurements }) =>
            measurements
              .filter((each) => each.name === name)
              .map(({ samples }) => ({ x, y: median(samples) })),
          ),
        })),
      },
    ];
  });
}

/** Names the only series of a plot, because a single series has no legend. */
function plotSubject(unit: Measurement["unit"], names: readonly string[]): string {
  const [name] = names;
  if (name !== undefined && names.length === 1) return `${name[0]?.toUpperCase()}${name.slice(1)}`;
  return unit === "ms" ? "Durations" : "Rates";
}

/** Repeats a measurement. */
export async function repeat(
  rounds: number,
  signal: AbortSignal,
  measure: (round: number) => Promise<number>,
): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    signal.throwIfAborted();
    samples.push(await measure(round));
  }
  return samples;
}

/** Milliseconds that work takes. */
export async function duration(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}
