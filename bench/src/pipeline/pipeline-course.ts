import { median } from "@synap/cli/terminal/numbers.ts";
import type { Plot } from "../benchmark.ts";
import type { PipelineMoment } from "./measure-pipeline.ts";

/** A run as the plots show it. */
export interface Course {
  readonly name: string;
  readonly moments: readonly PipelineMoment[];
}

/** The least time over which a rate is taken, in seconds: over less, one batch more or less makes a spike. */
const RATE_SECONDS = 1.5;

/** Fewer moments than this in a tenth of a run tell nothing about memory. */
const LEAST_MOMENTS = 3;

/**
 * Memory at the end of a run against memory after its first quarter, each the median over a tenth of the run. Below
 * 1.15 counts as flat: the collector of JavaScript lets memory rise and fall by about that much.
 *
 * @returns undefined for a run too short to tell growth from warming up.
 */
export function memoryGrowth(moments: readonly PipelineMoment[]): number | undefined {
  const end = moments.at(-1)?.seconds ?? 0;
  const within = (from: number, to: number) =>
    moments
      .filter(({ seconds }) => seconds >= from * end && seconds <= to * end)
      .map(({ residentMib }) => residentMib);
  const [early, late] = [within(0.25, 0.35), within(0.9, 1)];
  if (Math.min(early.length, late.length) < LEAST_MOMENTS) return undefined;
  return median(late) / median(early);
}

/** Course of the runs, second by second. */
export function pipelinePlots(courses: readonly Course[]): Plot[] {
  const line = (name: string, points: readonly { x: number; y: number }[]) => ({ name, points });
  return [
    {
      title: "Through the whole pipeline, over time",
      kind: "lines",
      xLabel: "seconds since the first request",
      yLabel: "events/s",
      series: courses.flatMap(({ name, moments }) => [
        line(`${name}: accepted`, rates(moments, "accepted")),
        line(`${name}: projected`, rates(moments, "projected")),
      ]),
    },
    {
      title: "Memory of Synap's process, over time",
      kind: "lines",
      xLabel: "seconds since the first request",
      yLabel: "MiB",
      series: courses.map(({ name, moments }) =>
        line(
          name,
          moments.map(({ seconds, residentMib }) => ({ x: seconds, y: residentMib })),
        ),
      ),
    },
  ];
}

function rates(
  moments: readonly PipelineMoment[],
  what: "accepted" | "projected",
): { x: number; y: number }[] {
  const points: { x: number; y: number }[] = [];
  let [last] = moments;
  for (const moment of moments) {
    if (last === undefined || moment.seconds - last.seconds < RATE_SECONDS) continue;
    points.push({ x: moment.seconds, y: (moment[what] - last[what]) / (moment.seconds - last.seconds) });
    last = moment;
  }
  return points;
}
