import { median, percentile } from "@synap/cli/terminal/numbers.ts";
import type { BenchmarkResult, Figure, Plot } from "../benchmark.ts";
import type { LoadResult } from "./load.ts";
import type { IdTally } from "./tally-ids.ts";

/** Server and load of a measurement. */
export type Arm = "bare" | "api" | "forwarding" | "batch";

/** One measurement. */
export interface HttpSample {
  readonly arm: Arm;
  readonly connections: number;
  readonly result: LoadResult;
  /** Undefined where no broker takes part. */
  readonly tally: IdTally | undefined;
}

const RATIO_TARGET = { comparison: "at least", bound: 0.5 } as const;
const FORWARDING_NOTE =
  "What asking a broker costs the simplest route, with a request of node:http for each event. With one connection no " +
  "event can travel in another's envelope.";
const NAMES: Record<Arm, string> = {
  bare: "a bare Hono route that parses and validates",
  api: "POST /api/v1/events",
  forwarding: "the bare route, asking the broker before it answers",
  batch: "POST /api/v1/events/batch with 1,000 events",
};

/** The figures and plots of all samples, which are in the order in which they were taken. */
export function httpFigures(
  samples: readonly HttpSample[],
  { seconds, rounds }: { readonly seconds: number; readonly rounds: number },
): BenchmarkResult {
  const note = rounds < 5 ? `${rounds} samples of ${seconds} s.` : undefined;
  const of = (arm: Arm, connections: number) =>
    samples.filter((sample) => sample.arm === arm && sample.connections === connections);
  const singles = [
    ...new Set(samples.filter(({ arm }) => arm === "api").map((sample) => sample.connections)),
  ];
  const batches = [
    ...new Set(samples.filter(({ arm }) => arm === "batch").map((sample) => sample.connections)),
  ];
  return {
    figures: [
      ...singles.flatMap((connections) => [
        ratio("api", of("api", connections), of("bare", connections), note),
        ...(of("forwarding", connections).length === 0
          ? []
          : [ratio("forwarding", of("forwarding", connections), of("bare", connections), note)]),
        ...(["bare", "api"] as const).flatMap((arm) => speed(of(arm, connections), note)),
        gathering(of("api", connections)),
      ]),
      ...batches.flatMap((connections) => batchSpeed(of("batch", connections), note)),
      ...faults(samples),
    ],
    plots: plots(singles, of),
  };
}

function ratio(
  arm: "api" | "forwarding",
  measured: readonly HttpSample[],
  bare: readonly HttpSample[],
  note: string | undefined,
): Figure {
  const values = measured.map((sample, round) => perSecond(sample) / perSecond(bare[round] ?? sample));
  return {
    id: `${idOf(measured)}.ratio`,
    name: `${NAMES[arm]}, against ${NAMES.bare}, ${overConnections(measured)}`,
    value: median(values),
    unit: "ratio",
    better: "higher",
    samples: values,
    target: arm === "api" ? RATIO_TARGET : undefined,
    note: arm === "api" ? note : FORWARDING_NOTE,
  };
}

function speed(samples: readonly HttpSample[], note: string | undefined): Figure[] {
  const [{ arm } = { arm: "api" as const }] = samples;
  const name = `${NAMES[arm]}, ${overConnections(samples)}`;
  const rates = samples.map(perSecond);
  const requests: Figure = {
    id: `${idOf(samples)}.rate`,
    name,
    value: median(rates),
    unit: "requests/s",
    better: "higher",
    samples: rates,
    note,
  };
  return [requests, latency(samples, 0.5, name), latency(samples, 0.99, name)];
}

function batchSpeed(samples: readonly HttpSample[], note: string | undefined): Figure[] {
  const name = `${NAMES.batch}, ${overConnections(samples)}`;
  const rates = samples.map(({ tally, result }) => (tally?.accepted ?? 0) / result.seconds);
  const events: Figure = {
    id: `${idOf(samples)}.rate`,
    name,
    value: median(rates),
    unit: "events/s",
    better: "higher",
    samples: rates,
    note,
  };
  return [events, latency(samples, 0.5, name), latency(samples, 0.99, name)];
}

function latency(samples: readonly HttpSample[], share: 0.5 | 0.99, name: string): Figure {
  const values = samples.map(({ result }) => percentile(result.latencies, share));
  const label = `p${share * 100}`;
  return {
    id: `${idOf(samples)}.${label}`,
    name: `${name}, ${label}`,
    value: median(values),
    unit: "ms",
    better: "lower",
    samples: values,
    note: `The median of each sample's ${label}.`,
  };
}

function gathering(samples: readonly HttpSample[]): Figure {
  const values = samples.map(({ tally }) => (tally?.received ?? 0) / Math.max(1, tally?.envelopes ?? 0));
  return {
    id: `${idOf(samples)}.events-an-envelope`,
    name: `single events that the publisher gathers into one envelope, ${overConnections(samples)}`,
    value: median(values),
    unit: "events",
    better: "higher",
    samples: values,
    note: "No more than half of those under way can be gathered: the others are on their way.",
  };
}

/** Figures that must be zero. */
function faults(samples: readonly HttpSample[]): Figure[] {
  const zero = (id: string, name: string, value: number, unit: string): Figure => {
    return { id, name, value, unit, better: "lower", target: { comparison: "at most", bound: 0 } };
  };
  // The forwarding route promises nothing.
  const tallies = samples.flatMap(({ arm, tally }) =>
    tally === undefined || arm === "forwarding" ? [] : [tally],
  );
  const sum = (of: (tally: IdTally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  const failures = samples.reduce((total, { result }) => total + result.failures, 0);
  return [
    {
      ...zero(
        "http.lost",
        "answered `accepted`, and unknown to the broker",
        sum(({ lost }) => lost),
        "events",
      ),
      note: `Of ${sum(({ accepted }) => accepted).toLocaleString("en")} that the API accepted, by id.`,
    },
    zero(
      "http.twice",
      "sent to the broker more than once",
      sum(({ twice }) => twice),
      "events",
    ),
    zero("http.failures", "requests without a response of 2xx", failures, "requests"),
  ];
}

function plots(singles: readonly number[], of: (arm: Arm, connections: number) => HttpSample[]): Plot[] {
  const measured = (["bare", "api", "forwarding"] as const).filter(
    (arm) => of(arm, singles[0] ?? 1).length > 0,
  );
  const series = measured.map((arm) => ({
    name: NAMES[arm],
    points: singles.map((connections) => ({
      x: String(connections),
      y: median(of(arm, connections).map(perSecond)),
    })),
  }));
  return [
    {
      title: "Requests of one event",
      kind: "bars",
      xLabel: "connections",
      yLabel: "requests/s",
      series,
    },
  ];
}

function perSecond({ result }: HttpSample): number {
  return result.responses / result.seconds;
}

function idOf([sample]: readonly HttpSample[]): string {
  return `http.${sample?.arm}.${sample?.connections}-connections`;
}

function overConnections([sample]: readonly HttpSample[]): string {
  return sample?.connections === 1 ? "1 connection" : `${sample?.connections} connections`;
}
