import { median, percentile } from "@synap/cli/terminal/numbers.ts";
import type { Engine } from "@synap/database";
import type { BenchmarkResult, Figure, Plot, Target } from "../benchmark.ts";
import { EVENTS_A_DAY } from "./history.ts";
import type { Question, ReadTimes } from "./measure-reads.ts";

/** Result of one engine at one size. */
export interface ReadMeasurement {
  readonly engine: Engine;
  readonly days: number;
  readonly times: ReadTimes;
}

const NAMES: Readonly<Record<Question, string>> = {
  "time-range": "time range of 1,000 events",
  "first-look": "time range of 1,000 events, on a day that the connection has not met",
  "read-on": "reading on by 1,000 events from anywhere",
  "read-on-tail": "reading on by the last 1,000 events",
  "read-on-nothing": "reading on when nothing is new",
  "stream-day": "stream of 1,000 events in one day",
  "stream-100-days": "stream of ten events a day over 100 days",
  "stream-all-days": "stream of one event a day over all days",
  "history-page-brief": "history page of an aggregate with 10 events",
  "history-page-long": "history page, the last 100 events of an aggregate that lived 100 days",
  "by-id": "event by id",
};

const under = (bound: number): Target => ({ comparison: "at most", bound });

/** Targets at every size. */
const P50_TARGETS: Readonly<Partial<Record<Question, Target>>> = { "time-range": under(10) };
const P99_TARGETS: Readonly<Partial<Record<Question, Target>>> = { "time-range": under(100) };
/** Targets for ten million events in a thousand chunks, as medians. */
const LARGEST_DAYS = 1_000;
const LARGEST_TARGETS: Readonly<Partial<Record<Question, Target>>> = {
  "read-on": under(10),
  "read-on-tail": under(10),
  "read-on-nothing": under(1),
  "stream-day": under(20),
  "stream-100-days": under(20),
  "stream-all-days": under(20),
  "history-page-brief": under(20),
  "history-page-long": under(20),
};
const FIRST_LOOK_NOTE =
  "Each connection reads the catalogue of each chunk once. The other figures are of a connection that has been around.";
const FLAT_NOTE = "The history grows by going on, 10,000 events a day: as many more chunks as events.";

/** Percentiles of each question at each size, and how much the largest differs from the smallest. */
export function readResult(measurements: readonly ReadMeasurement[]): BenchmarkResult {
  const engines = [...new Set(measurements.map(({ engine }) => engine))];
  const of = (engine: Engine) => measurements.filter((each) => each.engine === engine);
  return {
    figures: engines.flatMap((engine) => [...of(engine).flatMap(figuresOf), ...flatness(of(engine))]),
    plots: engines.flatMap((engine) => [rangePlot(of(engine)), questionsPlot(of(engine))].flat()),
  };
}

function figuresOf(measurement: ReadMeasurement): Figure[] {
  const { engine, days, times } = measurement;
  return Object.entries(NAMES).flatMap(([key, name]) => {
    const question = key as Question;
    const values = times[question];
    const target = P50_TARGETS[question] ?? (days === LARGEST_DAYS ? LARGEST_TARGETS[question] : undefined);
    const figure = (share: number, targetOf: Target | undefined): Figure => ({
      id: `reading.${engine}.${sizeText(days)}.${question}.p${share * 100}`,
      name: `${name}, of ${sizeText(days)}, p${share * 100}`,
      engine,
      value: percentile(values, share),
      unit: "ms",
      better: "lower",
      samples: fifths(values).map((part) => percentile(part, share)),
      ...(targetOf !== undefined && { target: targetOf }),
      ...(question === "first-look" && { note: FIRST_LOOK_NOTE }),
    });
    return [figure(0.5, target), figure(0.99, P99_TARGETS[question])];
  });
}

function flatness(measurements: readonly ReadMeasurement[]): Figure[] {
  const [smallest, largest] = [measurements[0], measurements.at(-1)];
  if (smallest === undefined || largest === undefined || smallest === largest) return [];
  const [few, many] = [smallest, largest].map(({ times }) => fifths(times["time-range"]).map(median));
  const { engine } = smallest;
  return [
    {
      id: `reading.${engine}.time-range.growth`,
      name: `time range of 1,000 events, ${sizeText(largest.days)} against ${sizeText(smallest.days)}, p50`,
      engine,
      value: median(largest.times["time-range"]) / median(smallest.times["time-range"]),
      unit: "ratio",
      better: "lower",
      samples: (many ?? []).map((value, index) => value / (few?.[index] ?? Number.NaN)),
      target: under(1.5),
      note: FLAT_NOTE,
    },
  ];
}

/** The rounds in five parts, so that a figure shows its spread. */
function fifths(values: readonly number[]): number[][] {
  const length = Math.ceil(values.length / 5);
  return Array.from({ length: 5 }, (_, part) => values.slice(part * length, (part + 1) * length)).filter(
    (part) => part.length > 0,
  );
}

function rangePlot(measurements: readonly ReadMeasurement[]): Plot[] {
  const [first] = measurements;
  if (first === undefined || measurements.length < 2) return [];
  return [
    {
      title: `Time range of 1,000 events against the size of the table, ${first.engine}`,
      kind: "lines",
      xLabel: "events in the table",
      yLabel: "ms",
      xScale: "log",
      series: [0.5, 0.9, 0.99].map((share) => ({
        name: `p${share * 100}`,
        points: measurements.map(({ days, times }) => ({
          x: days * EVENTS_A_DAY,
          y: percentile(times["time-range"], share),
        })),
      })),
    },
  ];
}

const PLOTTED: readonly Question[] = [
  "read-on",
  "read-on-nothing",
  "stream-day",
  "stream-100-days",
  "stream-all-days",
  "history-page-long",
  "by-id",
];

function questionsPlot(measurements: readonly ReadMeasurement[]): Plot[] {
  const [first] = measurements;
  if (first === undefined || measurements.length < 2) return [];
  return [
    {
      title: `Other reads against the size of the table, p50, ${first.engine}`,
      kind: "lines",
      xLabel: "events in the table",
      yLabel: "ms",
      xScale: "log",
      yScale: "log",
      series: PLOTTED.map((question) => ({
        name: NAMES[question],
        points: measurements.map(({ days, times }) => ({
          x: days * EVENTS_A_DAY,
          y: median(times[question]),
        })),
      })),
    },
  ];
}

/** 100k, 1M, 10M. */
function sizeText(days: number): string {
  const thousands = (days * EVENTS_A_DAY) / 1_000;
  return thousands < 1_000 ? `${thousands}k` : `${thousands / 1_000}M`;
}
