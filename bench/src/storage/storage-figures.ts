import { median, percentile } from "@synap/cli/terminal/numbers.ts";
import type { Engine } from "@synap/database";
import type { BenchMode, Figure, Plot, Target } from "../benchmark.ts";
import { QUESTIONS, type Question } from "./measure-questions.ts";
import type { Sizes } from "./measure-sizes.ts";

/** Gain and cost of compression. */
export interface Compression {
  readonly seconds: number;
  /** Of the compressed chunks, with their indexes. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** Of the whole store, afterwards. */
  readonly sizes: Sizes;
  /** Milliseconds of each answer, before and after. */
  readonly before: Readonly<Record<Question, readonly number[]>>;
  readonly after: Readonly<Record<Question, readonly number[]>>;
}

/** Result on one engine. */
export interface StorageMeasurement {
  readonly engine: Engine;
  readonly mode: BenchMode;
  /** Number of stored events. */
  readonly events: number;
  readonly sizes: Sizes;
  /** Undefined where the edition has none. */
  readonly compression?: Compression | undefined;
}

const PARTS: Readonly<Record<Exclude<keyof Sizes, "idempotencyKeys">, string>> = {
  table: "the events without indexes",
  indexes: "the indexes of the events",
  eventIds: "the table of ids",
  streams: "the table of streams",
  appends: "the append log",
  total: "all tables",
};

const QUESTION_NAMES: Readonly<Record<Question, string>> = {
  range: "time range of 1,000 events",
  "read-all": "reading on by up to 1,000 events",
  "by-id": "an event by its id",
  "brief-stream": "a stream of 10 events on one day",
  "busy-stream": "a stream of 1,000 events on one day",
  "lasting-stream": "a stream of 1,000 events over all days",
};

const under = (bound: number): Target => ({ comparison: "at most", bound });
const P50_TARGETS: Readonly<Partial<Record<Question, Target>>> = {
  range: under(10),
  "read-all": under(10),
  "busy-stream": under(20),
  "lasting-stream": under(20),
};

/** Bytes for each event by table; with compression also the factor that it saves, and what reading costs then. */
export function storageFigures(measurement: StorageMeasurement): Figure[] {
  const { engine, events, sizes, compression } = measurement;
  const parts = Object.entries(PARTS).map(([part, name]): Figure => {
    const bytes = sizes[part as keyof typeof PARTS];
    return bytesFigure(engine, `storage.${engine}.${part}`, `Storage for an event: ${name}`, bytes / events);
  });
  if (compression === undefined) return withNote(parts, measurement);
  const { bytesBefore, bytesAfter } = compression;
  return withNote(
    [
      ...parts,
      bytesFigure(
        engine,
        `storage.${engine}.compressed`,
        "Storage for an event: compressed, with what is left of the indexes",
        bytesAfter / events,
      ),
      bytesFigure(
        engine,
        `storage.${engine}.compressed-total`,
        "Storage for an event: all tables, events compressed",
        compression.sizes.total / events,
      ),
      {
        id: `storage.${engine}.compression`,
        name: "How many times smaller compressed events are, with their indexes",
        engine,
        value: bytesBefore / bytesAfter,
        unit: "ratio",
        better: "higher",
        target: { comparison: "at least", bound: 5 },
      },
      {
        id: `storage.${engine}.compression-rate`,
        name: "Compressing",
        engine,
        value: events / compression.seconds,
        unit: "events/s",
        better: "higher",
      },
      ...QUESTIONS.flatMap((question) => questionFigures(engine, question, compression)),
    ],
    measurement,
  );
}

function bytesFigure(engine: Engine, id: string, name: string, value: number): Figure {
  return { id, name, engine, value, unit: "bytes/event", better: "lower" };
}

function questionFigures(engine: Engine, question: Question, compression: Compression): Figure[] {
  const name = QUESTION_NAMES[question];
  const times = (values: readonly number[], state: string, targets: boolean): Figure[] => [
    {
      id: `storage.${engine}.${state}.${question}.p50`,
      name: `From ${state} events: ${name}, p50`,
      engine,
      value: median(values),
      unit: "ms",
      better: "lower",
      target: targets ? P50_TARGETS[question] : undefined,
    },
    {
      id: `storage.${engine}.${state}.${question}.p99`,
      name: `From ${state} events: ${name}, p99`,
      engine,
      value: percentile(values, 0.99),
      unit: "ms",
      better: "lower",
      target: targets && question === "range" ? under(100) : undefined,
    },
  ];
  return [
    ...times(compression.before[question], "uncompressed", false),
    ...times(compression.after[question], "compressed", true),
  ];
}

function withNote(figures: readonly Figure[], { events, mode, compression }: StorageMeasurement): Figure[] {
  const asked =
    compression === undefined ? "" : ` Each question was asked ${compression.after.range.length} times.`;
  const note = `${events.toLocaleString("en-US")} events, without idempotency keys.${asked}`;
  return figures.map((figure) => ({ ...figure, note: mode === "quick" ? `Quick: ${note}` : note }));
}

/** Sizes before and after, and the time to answers. */
export function storagePlots({ engine, events, sizes, compression }: StorageMeasurement): Plot[] {
  if (compression === undefined) return [];
  const bytes = (of: Sizes) => [
    { x: "events", y: of.table / events },
    { x: "indexes", y: of.indexes / events },
    { x: "ids", y: of.eventIds / events },
    { x: "all tables", y: of.total / events },
  ];
  const answers = (of: Compression["before"]) =>
    QUESTIONS.map((question) => ({ x: question, y: median(of[question]) }));
  return [
    {
      title: `Storage for an event, ${engine}`,
      kind: "bars",
      xLabel: "table",
      yLabel: "bytes/event",
      series: [
        { name: "uncompressed", points: bytes(sizes) },
        { name: "compressed", points: bytes(compression.sizes) },
      ],
    },
    {
      title: `Reading before and after compression, ${engine}`,
      kind: "bars",
      xLabel: "what is read",
      yLabel: "ms, p50",
      yScale: "log",
      series: [
        { name: "uncompressed", points: answers(compression.before) },
        { name: "compressed", points: answers(compression.after) },
      ],
    },
  ];
}
