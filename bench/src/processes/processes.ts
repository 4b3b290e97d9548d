import { median } from "@synap/cli/terminal/numbers.ts";
import type { BenchContext, Benchmark, BenchmarkResult, Figure, Plot } from "../benchmark.ts";
import { measureProcesses, type Program, type SetMeasured, type WayMeasured } from "./measure-processes.ts";

/** `counts`: the numbers of APIs, and of workers, that are compared. */
const EXTENT = {
  full: { counts: [1, 2, 4], rounds: 3, warmUpSeconds: 3, publishSeconds: 5, appendSeconds: 5 },
  quick: { counts: [1, 2], rounds: 1, warmUpSeconds: 1, publishSeconds: 2, appendSeconds: 2 },
};
const PROGRAMS: readonly Program[] = ["api", "worker", "broker"];

/** The two ways of sending events. */
const WAYS = {
  published: "published in batches of 1,000",
  appended: "appended one by one to new streams, 64 at a time",
};
type Way = keyof typeof WAYS;

/** A set of processes in one round. */
interface Sample extends SetMeasured {
  readonly count: number;
}

/**
 * One, two and four APIs and workers on one database, under the same offered load: events a second, where the processor time goes,
 * what the database's sessions wait for, its connections, and the write-ahead log of an event.
 */
export const processes: Benchmark = {
  name: "processes",
  title: "Several APIs and workers on one database",
  async run({ mode, serverUrl, signal, onProgress }: BenchContext): Promise<BenchmarkResult> {
    if (serverUrl === undefined)
      return {
        figures: [],
        skipped: ["Several processes need a PostgreSQL server, and DATABASE_URL names none."],
      };
    const { counts, rounds, ...extent } = EXTENT[mode];
    const samples: Sample[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, count] of (round % 2 === 0 ? counts : counts.toReversed()).entries()) {
        signal.throwIfAborted();
        onProgress(nameOf(count), (round + index / counts.length) / rounds);
        samples.push({ count, ...(await measureProcesses({ ...extent, serverUrl, count, signal })) });
      }
    }
    return {
      figures: [...counts.flatMap((count) => figuresOf(samples, count)), ...faultsOf(samples)],
      plots: plotsOf(samples, counts),
    };
  },
};

function nameOf(count: number): string {
  return count === 1 ? "1 API and 1 worker" : `${count} APIs and ${count} workers`;
}

function figuresOf(samples: readonly Sample[], count: number): Figure[] {
  const those = samples.filter((sample) => sample.count === count);
  const single = samples.filter((sample) => sample.count === 1);
  return (["published", "appended"] as const).flatMap((way) => {
    const of = (value: (measured: WayMeasured) => number) => those.map((sample) => value(sample[way]));
    const rate = ({ events, seconds }: WayMeasured) => events / seconds;
    const rates = of(rate);
    const ratios = those.map((sample, round) => {
      const one = single[round];
      return one === undefined ? Number.NaN : rate(sample[way]) / rate(one[way]);
    });
    const figure = (id: string, what: string, values: readonly number[], about: Partial<Figure>): Figure => ({
      id: `processes.${count}.${way}.${id}`,
      name: `${nameOf(count)}, ${WAYS[way]}${what}`,
      engine: "server",
      value: median(values),
      unit: "events/s",
      better: "lower",
      samples: values,
      ...about,
    });
    const perEvent = (cpu: (measured: WayMeasured) => number | undefined) =>
      of((measured) => ((cpu(measured) ?? Number.NaN) * 1_000_000) / measured.events);
    const isMeasured = those.every((sample) => sample[way].server.cpuSeconds !== undefined);
    return [
      figure("rate", "", rates, { better: "higher", note: describeWaits(those, way) }),
      ...(count === 1
        ? []
        : [figure("ratio", ", against 1 API and 1 worker", ratios, { unit: "ratio", better: "higher" })]),
      ...PROGRAMS.map((program) =>
        figure(
          `cpu.${program}`,
          `, processor time of ${program}`,
          perEvent(({ cpu }) => cpu[program]),
          { unit: "µs/event", note: "All processes of the kind together, until everything is projected." },
        ),
      ),
      ...(isMeasured
        ? [
            figure(
              "cpu.postgresql",
              ", processor time of PostgreSQL",
              perEvent(({ server }) => server.cpuSeconds),
              {
                unit: "µs/event",
              },
            ),
          ]
        : []),
      figure(
        "wal",
        ", write-ahead log",
        of(({ server, events }) => server.walBytes / events),
        {
          unit: "bytes/event",
          note: "Of the whole server, with the read models and the local broker's queue: it must do nothing else meanwhile.",
        },
      ),
      figure(
        "connections",
        ", connections",
        of(({ server }) => server.connections),
        { unit: "connections" },
      ),
    ];
  });
}

/** The states in which sessions were seen most, for example "54 % processor, 20 % LWLock WALWrite". */
function describeWaits(samples: readonly Sample[], way: Way): string {
  const total = new Map<string, number>();
  for (const sample of samples)
    for (const [state, share] of sample[way].server.waits)
      total.set(state, (total.get(state) ?? 0) + share / samples.length);
  const most = [...total].toSorted(([, one], [, other]) => other - one).slice(0, 6);
  return `Working sessions of the database: ${most.map(([state, share]) => `${(share * 100).toFixed(0)} % ${state}`).join(", ")}.`;
}

function faultsOf(samples: readonly Sample[]): Figure[] {
  const fault = (id: string, name: string, value: number): Figure => ({
    id: `processes.${id}`,
    name,
    engine: "server",
    value,
    unit: "events",
    better: "lower",
    target: { comparison: "at most", bound: 0 },
  });
  const sum = (of: (sample: Sample) => number) => samples.reduce((total, sample) => total + of(sample), 0);
  return [
    fault(
      "lost",
      "answered 2xx and not stored",
      sum(({ findings }) => findings.lost),
    ),
    fault(
      "twice",
      "stored twice",
      sum(({ findings }) => findings.twice),
    ),
    fault(
      "failures",
      "appends without a response of 2xx",
      sum(({ failures }) => failures),
    ),
  ];
}

function plotsOf(samples: readonly Sample[], counts: readonly number[]): Plot[] {
  return [
    {
      title: "Events a second by the number of APIs and of workers",
      kind: "lines",
      xLabel: "APIs, and as many workers",
      yLabel: "events/s",
      series: (["published", "appended"] as const).map((way) => ({
        name: WAYS[way],
        points: counts.map((count) => ({
          x: count,
          y: median(
            samples
              .filter((sample) => sample.count === count)
              .map((sample) => sample[way].events / sample[way].seconds),
          ),
        })),
      })),
    },
  ];
}
